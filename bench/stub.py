"""A substitute for AWS on loopback: it answers calls over TLS with recorded replies, as often as they are made."""

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
"""A time in seconds or milliseconds since 1970. Ids of nodes and DAGs in events/ are as long: calls that differ by them
alone take turns.
"""


@dataclass(frozen=True, slots=True)
class Call:
    """A recorded call to AWS and its reply."""

    service: str
    operation: str
    params: dict[str, Any]
    """As they are sent, in JSON."""
    status: int
    answer: str


class Stub:
    """The recorded replies, at one URL for each function. Its authority signs only this server's certificate."""

    def __init__(self, port: int, authority: trustme.CA) -> None:
        self._url = f"https://{HOST}:{port}"
        self.authority: str = authority.cert_pem.bytes().decode()
        self.refused: list[tuple[str, str, dict[str, Any]]] = []
        """The calls that matched no recorded call."""
        self._answers: dict[tuple[str, str], dict[str, Iterator[Call]]] = {}

    def url(self, function: str) -> str:
        """Return the URL that a function uses for AWS."""
        return f"{self._url}/{function}"

    def expect(self, function: str, calls: Sequence[Call]) -> None:
        """Answer a function's calls, in any order, with these replies. Replies to equal calls take turns."""
        alike = defaultdict(list)
        for call in calls:
            alike[call.operation, _lasting(call.params)].append(call)
        for (operation, params), each in alike.items():
            self._answers.setdefault((function, operation), {})[params] = cycle(each)

    def answer(self, function: str, operation: str, params: dict[str, Any]) -> Call:
        """Return the recorded call that equals this one, or a 400 if none does."""
        alike = self._answers.get((function, operation), {}).get(_lasting(params))
        if alike:
            return next(alike)
        self.refused.append((function, operation, params))
        return Call("", operation, params, 400, '{"__type": "ValidationException"}')


def _lasting(params: dict[str, Any]) -> str:
    """Return a call's parameters without its token, times and the order of lists, which differ each time."""
    lasting = {name: value for name, value in params.items() if name != "ClientRequestToken"}
    return _MOMENT.sub("a moment", json.dumps(_sorted(lasting), sort_keys=True))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(each) for name, each in value.items()}
    return sorted(map(_sorted, value), key=json.dumps) if isinstance(value, list) else value


@contextmanager
def stub() -> Iterator[Stub]:
    """Run a stub until the block ends."""
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
        """Log nothing."""
