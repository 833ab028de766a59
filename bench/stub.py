"""AWS's end of the wire on loopback: answers what it was told to, over TLS, as often as it is asked."""

import binascii
import json
import re
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any, Final

import trustme

HOST: Final = "localhost"
_MOMENT: Final = re.compile(r"\d{9,}(\.\d+)?")
"""Seconds or milliseconds since 1970; no id in events/ is as long."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to AWS and its answer."""

    service: str
    operation: str
    params: dict[str, Any]
    status: int
    answer: str


class Stub:
    """Where AWS is, with an address for each function. Its authority signs no certificate but this server's."""

    def __init__(self, port: int, authority: trustme.CA) -> None:
        self._url = f"https://{HOST}:{port}"
        self.authority: str = authority.cert_pem.bytes().decode()
        self.refused: list[tuple[str, str, dict[str, Any]]] = []
        """Calls that were like none that is expected."""
        self._answers: dict[tuple[str, str], dict[str, Iterator[Call]]] = {}

    def url(self, function: str) -> str:
        """Where a function finds AWS."""
        return f"{self._url}/{function}"

    def expect(self, function: str, calls: Sequence[Call]) -> None:
        """From now on the function's calls are answered as these were, whenever they are made; alike ones in turn."""
        alike = defaultdict(list)
        for call in calls:
            alike[call.operation, _lasting(call.params)].append(call)
        for (operation, params), each in alike.items():
            self._answers.setdefault((function, operation), {})[params] = cycle(each)

    def answer(self, function: str, operation: str, params: dict[str, Any]) -> Call:
        """That of the call that was like this one; where there was none, a refusal."""
        alike = self._answers.get((function, operation), {}).get(_lasting(params))
        if alike:
            return next(alike)
        self.refused.append((function, operation, params))
        return Call("", operation, params, 400, '{"__type": "ValidationException"}')


def _lasting(params: dict[str, Any]) -> str:
    """What is the same of a call each time that it is made: not its token, nor any moment, nor the order of lists."""
    lasting = {name: value for name, value in params.items() if name != "ClientRequestToken"}
    return _MOMENT.sub("a moment", json.dumps(_sorted(lasting), sort_keys=True))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(each) for name, each in value.items()}
    return sorted(map(_sorted, value), key=json.dumps) if isinstance(value, list) else value


@contextmanager
def stub() -> Iterator[Stub]:
    """One that ends with the block."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.stub = Stub(server.server_port, authority)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.stub
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    stub: Stub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together
    server: _Server

    def do_POST(self) -> None:
        params = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        call = self.server.stub.answer(self.path.strip("/"), operation, params)
        body = call.answer.encode()
        self.send_response(call.status)
        for name, value in (
            ("Content-Type", "application/x-amz-json-1.0"),
            ("Content-Length", str(len(body))),
            ("x-amzn-RequestId", "A" * 52),
            ("x-amz-crc32", str(binascii.crc32(body))),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""
