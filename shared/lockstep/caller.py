"""Who sends the request that is under way, as the authorizer says. Known in the thread that serves it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

_ONLY_RUN: Final[ContextVar[int | None]] = ContextVar("only_run", default=None)


@contextmanager
def calling(authorizer: Mapping[str, Any]) -> Iterator[None]:
    """The caller has what the authorizer's context says: requestContext.authorizer, whose values are text."""
    run = authorizer.get("workflow_run_id")
    token = _ONLY_RUN.set(None if run is None else int(run))
    try:
        yield
    finally:
        _ONLY_RUN.reset(token)


def only_run() -> int | None:
    """The one workflow run whose instances the caller may report on; None: those of all."""
    return _ONLY_RUN.get()
