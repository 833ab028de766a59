"""One request as Jobmon's clients send it: again after a 503, and after no answer; and replies that get lost."""

import asyncio
import random
import time
from http import HTTPStatus
from typing import Any, Final, NamedTuple, Self

import httpx

from local.soak.tally import Tally

SECONDS_TO_ANSWER: Final = 20
"""After which Jobmon's clients send again."""
LOST: Final = 0.04
"""The share of requests whose sender goes away before the reply has come, and sends again."""
LONGEST_HEARING: Final = 0.04
"""Seconds after which it goes away at the latest."""
LONGEST_PAUSE: Final = 2.0
"""Jobmon's clients wait up to minutes; it is the number of tries that matters here."""
TRIES: Final = 60
CONNECTIONS: Final = 200


class UnansweredError(Exception):
    """A request was not answered 200 although it was sent again and again, or was answered what it must not be."""


class Answer(NamedTuple):
    """The reply to a request, in the end."""

    body: Any
    sent_at: float
    """When the try that was answered was sent; seconds since 1970."""
    tries: int
    """More than one: an earlier one may have been carried out too, or may yet be."""
    first_sent_at: float
    """When the first try was sent."""


class Client:
    """For any number of senders in one event loop."""

    def __init__(self, url: str, tally: Tally) -> None:
        self._tally = tally
        self._http = httpx.AsyncClient(
            base_url=f"{url}/api/v3/",
            timeout=SECONDS_TO_ANSWER,
            trust_env=False,
            limits=httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=2),  # before the server's 5 s
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def send(self, rng: random.Random, method: str, path: str, body: object = None) -> Answer:
        """The answer, however often it takes.

        Raises:
            UnansweredError: there is none, or it must not be.
        """
        first_sent_at = time.time()
        for tries in range(1, TRIES + 1):
            calm = self._tally.calm
            hears = None if calm or rng.random() >= LOST else rng.uniform(0.001, LONGEST_HEARING)
            sent_at = time.time()
            reply = await self._try(method, path, body, hears)
            if reply is not None and reply.status_code == HTTPStatus.OK:
                return Answer(reply.json(), sent_at, tries, first_sent_at)
            self._judge(f"{method} {path}", reply, calm=calm)
            self._tally.count("retries")
            if reply is not None or hears is None:
                await asyncio.sleep(min(LONGEST_PAUSE, 0.1 * 2**tries) * rng.uniform(0.5, 1))
        self._tally.must_not_be(f"{method} {path} was not answered 200 in {TRIES} tries")
        raise UnansweredError(path)

    async def _try(self, method: str, path: str, body: object, hears: float | None) -> httpx.Response | None:
        self._tally.count("requests")
        try:
            async with asyncio.timeout(hears):
                reply = await self._http.request(method, path, json=body)
        except TimeoutError:
            self._tally.count("lost replies")
            self._tally.replies["lost"] += 1
            return None
        except httpx.HTTPError as error:
            self._tally.replies[type(error).__name__] += 1
            return None
        self._tally.replies[str(reply.status_code)] += 1
        return reply

    def _judge(self, request: str, reply: httpx.Response | None, *, calm: bool) -> None:
        """While things are killed there may be no answer, or a 503. Afterwards neither."""
        passes = reply is None or reply.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        if passes and not calm:
            return
        what = f"answered {reply.status_code}: {reply.text[:500]}" if reply is not None else "not answered"
        self._tally.must_not_be(f"{request} was {what}{' when all was calm' if calm else ''}")
        if not passes:
            raise UnansweredError(request)
