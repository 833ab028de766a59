"""Lambda's Runtime API on loopback: hands one function's process its invocations and hears what it says.

As much of https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html as awslambdaric uses.
"""

import contextlib
import json
import re
import threading
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any, Final, NamedTuple, Self

_ROOT: Final = "/2018-06-01/runtime"
_SAID: Final = re.compile(rf"{_ROOT}/(?:init/error|invocation/(?P<request_id>[^/]+)/(?P<kind>response|error))")


class Kind(Enum):
    """What a process can do."""

    READY = auto()
    """It asks for an invocation."""
    RESPONSE = auto()
    ERROR = auto()
    """An invocation ended in an exception."""
    INIT_ERROR = auto()
    """Its module cannot be imported."""
    ENDED = auto()
    """It is no more: said by whoever watches it."""


class Heard(NamedTuple):
    """What a process did, and what it said of it."""

    kind: Kind
    request_id: str | None = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class Invocation:
    """An event and what Lambda says of it."""

    request_id: str
    deadline_ms: int
    arn: str
    event: Any


class RuntimeApi:
    """Serves one process from the moment it is entered until it is left."""

    def __init__(self) -> None:
        self.heard: Queue[Heard] = Queue()
        self.invocations: Queue[Invocation | None] = Queue()
        """None: there will be no more."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.invocations.put(None)
        self._server.shutdown()
        self._server.server_close()


def _handler(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together

        def do_GET(self) -> None:
            if self.path != f"{_ROOT}/invocation/next":
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            api.heard.put(Heard(Kind.READY))
            invocation = api.invocations.get()
            if invocation is None:
                self.close_connection = True
                return
            headers = {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
            }
            self._answer(HTTPStatus.OK, headers, invocation.event)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            said = _SAID.fullmatch(self.path)
            if not said:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            self._answer(HTTPStatus.ACCEPTED, {}, {"status": "OK"})
            self.wfile.flush()
            api.heard.put(Heard(_kind(said), said["request_id"], json.loads(body)))

        def _answer(self, status: HTTPStatus, headers: dict[str, str], body: Any) -> None:
            content = json.dumps(body).encode()
            of_content = {"Content-Type": "application/json", "Content-Length": str(len(content))}
            with contextlib.suppress(ConnectionError):  # a process that was ended reads no answer
                self.send_response(status)
                for name, value in (headers | of_content).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _kind(said: re.Match[str]) -> Kind:
    if said["request_id"] is None:
        return Kind.INIT_ERROR
    return Kind.RESPONSE if said["kind"] == "response" else Kind.ERROR
