"""Who sends the request that is under way, as the authorizer says. Known in the thread that serves it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from lockstep.errors import ForbiddenError
from lockstep.scopes import Scope, may_call

_SCOPE: Final[ContextVar[str | None]] = ContextVar("scope", default=None)
_ONLY_RUN: Final[ContextVar[int | None]] = ContextVar("only_run", default=None)


@contextmanager
def calling(authorizer: Mapping[str, Any]) -> Iterator[None]:
    """The caller has what the authorizer's context says: requestContext.authorizer, whose values are text."""
    scope, run = authorizer.get("scope"), authorizer.get("workflow_run_id")
    tokens = _SCOPE.set(scope), _ONLY_RUN.set(None if run is None else int(run))
    try:
        yield
    finally:
        _SCOPE.reset(tokens[0])
        _ONLY_RUN.reset(tokens[1])


def check_scope(method: str, resource: str) -> None:
    """Let pass who may call a route, by its path with parameters in braces.

    API Gateway has looked already, by patterns in which * spans slashes. Where a policy of the API's own allowed the
    call, it would let pass what the authorizer's policy does not name.

    Raises:
        ForbiddenError: the caller's token is not for it.
    """
    scope = _SCOPE.get()
    if scope and not (scope in set(Scope) and may_call(Scope(scope), method, resource)):
        raise ForbiddenError("the token is not for this route")


def only_run() -> int | None:
    """The one workflow run whose instances the caller may report on; None: those of all."""
    return _ONLY_RUN.get()
