"""The context of a request: its deadline, its caller and its counters, known to whatever serves it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from threading import Lock, Semaphore
from typing import Any, Final, NamedTuple, TypeVar

from lockstep.clock import BUDGET_SECONDS, Deadline, now

R = TypeVar("R")

PARALLEL: Final = 8
"""Requests to DynamoDB that one request of the API has under way at the same time, at most."""


class Token(NamedTuple):
    """The caller's token, as functions know it."""

    id: str | None = None
    """None: callers need no token here."""
    expired: bool = False
    """A worker's token that has expired is good for reports about the instances that it has claimed."""


NO_TOKEN: Final = Token()


_NO_LIMIT: Final = nullcontext()


@dataclass(slots=True)
class RequestContext:
    """The state of a request. Threads that run_parallel starts for the request share it."""

    deadline: Deadline
    only_run: int | None = None
    """The one workflow run whose instances the caller may report on. None: those of all runs."""
    token: Token = NO_TOKEN
    """The caller's token."""
    counters: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    """Values by metric name and unit: observability.count and observability.measure add to them."""
    moves: dict[tuple[str | None, str], int] = field(default_factory=dict)
    """Moves by source and target. The source is None if several statuses allowed the write, or if there was none."""
    refusals: dict[tuple[str, str], int] = field(default_factory=dict)
    """Refusals by kind and reason."""
    lock: Lock = field(default_factory=Lock)
    slots: AbstractContextManager[object] = _NO_LIMIT
    """Held by each request to DynamoDB while it is under way. One thread alone needs no limit: see share_slots."""


_CURRENT: Final[ContextVar[RequestContext]] = ContextVar("request")


def run_in(request: RequestContext, work: Callable[..., R], *args: Any) -> R:
    """Run work in a request's context. What work binds to the context ends with it."""
    own = copy_context()
    own.run(_CURRENT.set, request)
    return own.run(work, *args)


@contextmanager
def request(seconds: float = BUDGET_SECONDS) -> Iterator[RequestContext]:
    """Let programs and tests call functions that need a request's context. The block has a budget of its own."""
    made = RequestContext(Deadline(seconds))
    token = _CURRENT.set(made)
    try:
        yield made
    finally:
        _CURRENT.reset(token)


def current() -> RequestContext | None:
    """The context of the request under way; None outside of a request."""
    return _CURRENT.get(None)


def deadline() -> Deadline:
    """The deadline of the request under way.

    Raises:
        LookupError: no request is under way.
    """
    return _CURRENT.get().deadline


def slots() -> AbstractContextManager[object]:
    """The limit on the requests to DynamoDB that the request of the API has under way: held by each of them.

    Raises:
        LookupError: no request is under way.
    """
    return _CURRENT.get().slots


def share_slots() -> None:
    """Before threads are started: limit what all threads of the request have under way to PARALLEL."""
    request = _CURRENT.get(None)
    if request and request.slots is _NO_LIMIT:
        request.slots = Semaphore(PARALLEL)


def only_run() -> int | None:
    """The one workflow run whose instances the caller may report on. None: those of all runs."""
    under_way = _CURRENT.get(None)
    return under_way.only_run if under_way else None


def token() -> Token:
    """The token of the request under way."""
    under_way = _CURRENT.get(None)
    return under_way.token if under_way else NO_TOKEN


def token_of(authorizer: Mapping[str, Any]) -> Token:
    """The token that requestContext.authorizer tells of. API Gateway turns its values into text."""
    expires_at = authorizer.get("expires_at")
    return Token(authorizer.get("token_id"), expired=expires_at is not None and now() >= float(expires_at))


def run_allowed_by(authorizer: Mapping[str, Any]) -> int | None:
    """The workflow run that requestContext.authorizer limits the caller to. API Gateway turns its values into text."""
    run = authorizer.get("workflow_run_id")
    return None if run is None else int(run)
