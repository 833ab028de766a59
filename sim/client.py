"""One HTTP client: keep-alive connections, what came back on them, and when Jobmon's clients send again."""

import json
import time
from collections import deque
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

from sim.requests import Request

SECONDS_TO_ANSWER: Final = 20
"""Jobmon's clients send again after this many seconds."""
ATTEMPTS: Final = 10
"""http.retries_attempts in jobmon/core/defaults.yaml."""
JITTER: Final = 1.0
"""Each pause is longer by a random part of this many seconds."""
OK: Final = "200"
TIMEOUT: Final = "timeout"
_SECONDS_IDLE: Final = 1.5
"""A connection that was idle for longer is replaced: servers close idle ones, some after 2 s."""


def pause(attempt: int) -> float:
    """Seconds to wait after a failed attempt, without jitter: tenacity.wait_exponential_jitter(initial=1, exp_base=2).

    >>> [pause(attempt) for attempt in (1, 2, 3)]
    [1.0, 2.0, 4.0]
    """
    return float(2 ** (attempt - 1))


class Reply(NamedTuple):
    """The outcome of a request."""

    outcome: str
    """The HTTP status; TIMEOUT or the connection's error if there is none."""
    body: Any
    """Parsed if the outcome is OK, else the text."""
    seconds: float = 0.0
    sent_at: float = 0.0
    """Seconds since 1970."""
    tries: int = 1
    """If more than one, an earlier try may have been carried out too, or may still be."""
    first_sent_at: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it is a 200."""
        return self.outcome == OK


class UnansweredError(Exception):
    """A request that must be answered 200 was not."""


class Client:
    """Any number of threads may share it: each request has a connection to itself, which the next one uses again."""

    def __init__(
        self, url: str, heard: Callable[[Reply], object] | None = None, seconds: float = SECONDS_TO_ANSWER
    ) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        self._host, self._port, self._prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self._heard, self._seconds = heard, seconds
        self._idle: deque[tuple[HTTPConnection, float]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all idle connections. The next request makes a new one."""
        while self._idle:
            self._idle.pop()[0].close()

    def ask(self, request: Request) -> Any:
        """Send a request and return its reply's body.

        Raises:
            UnansweredError: it was not answered 200.
        """
        reply = self.send(request)
        if not reply.ok:
            raise UnansweredError(describe(request, reply))
        return reply.body

    def send(self, request: Request, within: float | None = None) -> Reply:
        """Send a request once and return its reply, whatever it is. A GET has a body too, as Jobmon's clients' do."""
        content = json.dumps({} if request.body is None else request.body).encode()
        connection = self._take(self._seconds if within is None else within)
        sent_at, began = time.time(), time.perf_counter()
        outcome, text = self._exchange(connection, request, content)
        seconds = time.perf_counter() - began
        self._idle.append((connection, time.monotonic()))
        body = json.loads(text) if outcome == OK else text.decode(errors="replace")
        reply = Reply(outcome, body, seconds, sent_at, 1, sent_at)
        if self._heard:
            self._heard(reply)
        return reply

    def _take(self, seconds: float) -> HTTPConnection:
        """Return the connection that was used last, or a new one."""
        try:
            connection, last_used = self._idle.pop()
        except IndexError:
            return HTTPConnection(self._host, self._port, timeout=seconds)
        if time.monotonic() - last_used > _SECONDS_IDLE:
            connection.close()
        if connection.timeout != seconds:
            connection.timeout = seconds
            if connection.sock:
                connection.sock.settimeout(seconds)
        return connection

    def _exchange(self, connection: HTTPConnection, request: Request, content: bytes) -> tuple[str, bytes]:
        path = self._prefix + request.path
        try:
            connection.request(request.method, path, content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return str(response.status), response.read()
        except TimeoutError:
            connection.close()
            return TIMEOUT, b""
        except (HTTPException, ConnectionError) as error:
            connection.close()
            return type(error).__name__, b""


def describe(request: Request, reply: Reply) -> str:
    """Say how a request was answered.

    >>> describe(Request("GET", "/health"), Reply("503", "busy"))
    'GET /health was answered 503: busy'
    """
    text = f": {reply.body[:500]}" if isinstance(reply.body, str) and reply.body else ""
    return f"{request.method} {request.path} was answered {reply.outcome}{text}"
