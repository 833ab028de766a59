"""Check in the function, behind API Gateway, whether the caller may call the route.

API Gateway looks first, by patterns in which * spans slashes, and keeps its answer for a while. A resource policy of
the API could let a call pass that the authorizer's policy does not name. So each function checks exactly what it
serves.
"""

import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from lockstep import context
from lockstep.access.scopes import Scope
from lockstep.errors import ForbiddenError
from lockstep.routes import Route

TOKEN: Final = "token"  # noqa: S105  # a mode, not a secret
IAM: Final = "iam"
OFF: Final = "off"
"""Nobody is asked for anything: only `make run` and tests set it."""
_SCOPES: Final = frozenset(Scope)
_OWN_PAGE: Final = frozenset({"same-origin", "none"})
"""Sec-Fetch-Site of a request that this origin's own page, or the user himself, has sent."""


def check_caller(route: Route, gateway: Mapping[str, Any]) -> None:
    """Require that requestContext names a caller who may call the route.

    The variable AUTH_MODE says what it must name: `token` (also where the variable is missing) a scope that the
    authorizer gave, `iam` the ARN of whoever signed, `off` nothing. A scope that is named is always checked.

    Raises:
        ForbiddenError: no caller is named, or the caller may not call the route.
    """
    mode = os.environ.get("AUTH_MODE", TOKEN)
    scope = (gateway.get("authorizer") or {}).get("scope")
    if scope is None and mode == OFF:
        return
    if scope is None and mode == IAM:
        if not (gateway.get("identity") or {}).get("userArn"):
            raise ForbiddenError("the request is not signed")
        return
    if scope is None or scope not in _SCOPES or not route.may_be_called_by(Scope(scope)):
        raise ForbiddenError("the token is not for this route")
    if context.token().expired and not route.may_be_called_by(Scope(scope), expired=True):
        raise ForbiddenError("the token has expired")


def check_site(method: str, headers: Mapping[str, str]) -> None:
    """Require that no other site's page makes a browser send a request that changes something.

    A browser adds the credentials that it holds to whatever a page sends here. Programs send neither header. Where
    Sec-Fetch-Site says who sends, it decides (W3C Fetch Metadata); where it is missing, Origin must name this host.
    headers: by name in lower case.

    Raises:
        ForbiddenError: another site's page sends it.
    """
    if method == "GET":
        return
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        return
    own = site in _OWN_PAGE if site is not None else _host(origin) == headers.get("host", "").lower() != ""
    if not own:
        raise ForbiddenError("another site's page may not send this")


def _host(origin: str | None) -> str:
    try:
        return urlsplit(origin or "").netloc.lower()
    except ValueError:  # a bracket that closes no address
        return ""
