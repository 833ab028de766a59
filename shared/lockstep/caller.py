"""Who sends the request that is under way, as the authorizer says. Known in the context that serves it."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

from lockstep.errors import ForbiddenError
from lockstep.scopes import Scope, may_call

_SCOPE: Final[ContextVar[str | None]] = ContextVar("scope", default=None)
_ONLY_RUN: Final[ContextVar[int | None]] = ContextVar("only_run", default=None)


def calls(authorizer: Mapping[str, Any]) -> None:
    """From here on the caller has what requestContext.authorizer says, whose values are text."""
    run = authorizer.get("workflow_run_id")
    _SCOPE.set(authorizer.get("scope"))
    _ONLY_RUN.set(None if run is None else int(run))


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
