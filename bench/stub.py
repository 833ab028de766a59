"""AWS's end of the wire on loopback: answers what it was told to, over TLS, as often as it is asked."""

import binascii
import json
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
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
    """Where AWS is. Its authority signs no certificate but this server's."""

    def __init__(self, server: ThreadingHTTPServer, authority: trustme.CA) -> None:
        self.url = f"https://{HOST}:{server.server_port}"
        self.authority: str = authority.cert_pem.bytes().decode()
        self._answers: dict[str, Iterator[Call]] = {}

    def expect(self, calls: Sequence[Call]) -> None:
        """From now on the calls of one operation are answered in their order, over and over."""
        by_operation = defaultdict(list)
        for call in calls:
            by_operation[call.operation].append(call)
        self._answers = {operation: cycle(each) for operation, each in by_operation.items()}

    def answer(self, operation: str) -> Call:
        """The next one."""
        return next(self._answers[operation])


@contextmanager
def stub() -> Iterator[Stub]:
    """One that ends with the block."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.stub = Stub(server, authority)  # type: ignore[attr-defined]  # where its handlers find it
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.stub  # type: ignore[attr-defined]  # as above
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together

    def do_POST(self) -> None:  # the base class calls it so
        self.rfile.read(int(self.headers["Content-Length"]))
        call = self.server.stub.answer(self.headers["X-Amz-Target"].rpartition(".")[2])  # type: ignore[attr-defined]  # as above
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
        """It is counted, not read."""


def trust(layer: Path, authority: str) -> None:
    """Let a built layer's botocore take the stub for AWS."""
    with (layer / "botocore/cacert.pem").open("a") as roots:
        roots.write(authority)


def write(calls: Sequence[Call], file: Path) -> None:
    """For counted/raw.py."""
    file.write_text(
        json.dumps([{"service": each.service, "operation": each.operation, "params": each.params} for each in calls])
    )
