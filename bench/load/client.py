"""One keep-alive connection to a server that speaks Jobmon's wire, and what became of every request on it."""

import json
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any, Final, Self
from urllib.parse import urlsplit

SECONDS_TO_ANSWER: Final = 20
"""After which Jobmon's clients send again."""
OK: Final = "200"
TIMEOUT: Final = "timeout"
_SECONDS_IDLE: Final = 1.5
"""A connection that was idle for longer is made anew: servers close those, some after 2 s."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, or that nothing did."""

    outcome: str
    """The HTTP status; TIMEOUT, or the connection's error, where there is none."""
    body: Any
    """As JSON; None unless the outcome is OK."""
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether it was 200."""
        return self.outcome == OK


class NotOkError(Exception):
    """A request that must be answered 200 was not."""


class Client:
    """For one thread. Nothing is sent twice."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        self._prefix = parts.path.rstrip("/")
        self._connection = HTTPConnection(parts.hostname, parts.port, timeout=SECONDS_TO_ANSWER)
        self._last_used = 0.0
        self.replies: list[Reply] = []
        """Of send, in order."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The next request makes a new connection."""
        self._connection.close()

    def send(self, method: str, path: str, body: object = None) -> Reply:
        """The reply, whatever it is. A GET carries a body too, as those of Jobmon's clients do."""
        reply = self._send(method, path, body)
        self.replies.append(reply)
        return reply

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """The reply's body.

        Raises:
            NotOkError: it was not 200.
        """
        reply = self._send(method, path, body)
        if not reply.ok:
            raise NotOkError(f"{method} {path} was answered {reply.outcome}")
        return reply.body

    def _send(self, method: str, path: str, body: object) -> Reply:
        if time.monotonic() - self._last_used > _SECONDS_IDLE:
            self.close()
        content = json.dumps({} if body is None else body).encode()
        began = time.perf_counter()
        outcome, text = self._exchange(method, path, content)
        seconds = time.perf_counter() - began
        self._last_used = time.monotonic()
        return Reply(outcome, json.loads(text) if outcome == OK else None, seconds)

    def _exchange(self, method: str, path: str, content: bytes) -> tuple[str, bytes]:
        try:
            self._connection.request(method, self._prefix + path, content, {"Content-Type": "application/json"})
            response = self._connection.getresponse()
            return str(response.status), response.read()
        except TimeoutError:
            self.close()
            return TIMEOUT, b""
        except (HTTPException, ConnectionError) as error:
            self.close()
            return type(error).__name__, b""
