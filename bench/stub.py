"""AWS's end of the wire on loopback: answers what it was told to, over TLS, as often as it is asked."""

import binascii
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
        self._answers: dict[tuple[str, str], Iterator[Call]] = {}

    def url(self, function: str) -> str:
        """Where a function finds AWS."""
        return f"{self._url}/{function}"

    def expect(self, function: str, calls: Sequence[Call]) -> None:
        """From now on the function's calls of one operation are answered in their order, over and over."""
        by_operation = defaultdict(list)
        for call in calls:
            by_operation[call.operation].append(call)
        self._answers |= {(function, operation): cycle(each) for operation, each in by_operation.items()}

    def answer(self, function: str, operation: str) -> Call:
        """The next one."""
        return next(self._answers[function, operation])


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
        self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        call = self.server.stub.answer(self.path.strip("/"), operation)
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
