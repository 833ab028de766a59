"""Call a deployment's API as an operator does."""

import json
import time
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import httpx

from ops.verify.target import PREFIX, THIS_MACHINE, Target
from sim.requests import Request

ANSWER_SECONDS: Final = 40
"""API Gateway gives up after 29 seconds."""
SENDS: Final = 4
"""How often a request is sent that is answered 503: clients send it again too."""
PAUSE_SECONDS: Final = 1.0
MAX_SHOWN: Final = 300
"""Characters of a reply that a message quotes."""


class Reply(NamedTuple):
    """A reply. A status of 0 means that no answer came; the body is then the reason."""

    request: str
    """Method and path."""
    status: int
    body: Any
    """Decoded JSON, or the text where it is not JSON."""
    media_type: str
    text: str

    def value(self, *path: str | int) -> Any:
        """The part of a 200's body that path leads to; otherwise a sentence that says what came instead."""
        found = self.body
        if self.status != httpx.codes.OK:
            return str(self)
        for step in path:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return f"{self} (without {'.'.join(map(str, path))})"
        return found

    def __str__(self) -> str:
        if not self.status:
            return f"{self.request} got no answer: {self.text}"
        return f"{self.request} answered {self.status}: {self.text[:MAX_SHOWN]}"


class Api:
    """A connection to a deployment. It follows no redirect, so the token reaches no other host."""

    def __init__(self, target: Target, transport: httpx.BaseTransport | None = None) -> None:
        self.url: Final = target.url
        self._token: Final = target.token
        self._http: Final = httpx.Client(
            timeout=ANSWER_SECONDS,
            transport=transport,
            headers={"User-Agent": "lockstep-verify"},
            trust_env=httpx.URL(target.url).host not in THIS_MACHINE,  # a proxy does not reach this machine
        )
        self.requests = 0
        self.sent_again = 0
        """Requests that were answered 503 and sent again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def get(self, path: str) -> Reply:
        """Send a GET."""
        return self.call("GET", path)

    def send(self, request: Request) -> Reply:
        """Send a request as Jobmon's programs send it."""
        return self.call(request.method, request.path.removeprefix("/"), request.body)

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Reply:
        """Send a request, and again while it is answered 503.

        Args:
            method: of HTTP.
            path: below /api/v3.
            body: what is sent as JSON; bytes are sent as they are.
            token: instead of the caller's own; an empty one sends none.
        """
        for _ in range(SENDS - 1):
            reply = self._send(method, path, body, self._token if token is None else token)
            if reply.status != httpx.codes.SERVICE_UNAVAILABLE:
                return reply
            self.sent_again += 1
            self.pause()
        return self._send(method, path, body, self._token if token is None else token)

    def pause(self) -> None:
        """Wait before asking again."""
        time.sleep(PAUSE_SECONDS)

    def _send(self, method: str, path: str, body: Any, token: str) -> Reply:
        self.requests += 1
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if content is not None else {}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        request = f"{method} {PREFIX}/{path}"
        try:
            answer = self._http.request(method, f"{self.url}{PREFIX}/{path}", content=content, headers=headers)
        except httpx.HTTPError as error:
            return Reply(request, 0, None, "", self._hide(f"{type(error).__name__}: {error}"))
        text = self._hide(answer.text)
        return Reply(request, answer.status_code, _decode(text), answer.headers.get("Content-Type", ""), text)

    def _hide(self, text: str) -> str:
        """The text without the token, should a reply echo it."""
        return text.replace(self._token, "(the token)") if self._token else text


def _decode(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
