"""Tokens: who calls, for what, and until when. Signed (JWT, HS256), so that nobody keeps a list of them."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from lockstep.access.scopes import MAX_DAYS, Scope

_ALGORITHM: Final = "HS256"
_REQUIRED: Final = ["sub", "scope", "iat", "exp"]
_NAME: Final = re.compile(r"[\w.@-]{1,64}", re.ASCII)
MIN_KEY_BYTES: Final = 32
"""RFC 7518, 3.2: no shorter than the hash."""
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token says."""

    name: str
    """Whom it was made for: it stands in the log of every request."""
    scope: Scope
    workflow_run_id: int | None = None
    """Of a worker's token: the one run whose instances it may report on. None: all."""


class UnknownKeyError(Exception):
    """A token is signed, or says so, with a key that is not among those that are valid."""


class BadTokenError(Exception):
    """A token is forged, expired, or not one of ours."""


def key_id(key: str) -> str:
    """What names a key in the tokens that it signed. It does not give the key away."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def sign(grant: Grant, key: str, issued_at: int, expires_at: int) -> str:
    """Sign a token that is good from one moment to another: seconds since 1970.

    Raises:
        ValueError: only a worker's token can be for one run; a name has at most 64 letters, digits and . @ _ -, for API
            Gateway puts it into its log as it is; the scope allows no such lifetime; or the key is too short.
    """
    if not _NAME.fullmatch(grant.name):
        raise ValueError(f"{grant.name!r} is no name: 1 to 64 letters, digits and . @ _ -")
    if grant.workflow_run_id is not None and grant.scope is not Scope.WORKER:
        raise ValueError(f"a token for one workflow run is a worker's, not one for {grant.scope}")
    _check_lifetime(grant.scope, expires_at - issued_at)
    if len(key.encode()) < MIN_KEY_BYTES:
        raise ValueError(f"a signing key has at least {MIN_KEY_BYTES} bytes")
    claims: dict[str, Any] = {"sub": grant.name, "scope": grant.scope.value, "iat": issued_at, "exp": expires_at}
    if grant.workflow_run_id is not None:
        claims["run"] = grant.workflow_run_id
    return jwt.encode(claims, key, _ALGORITHM, headers={"kid": key_id(key)})


def verify(token: str, keys: Mapping[str, str]) -> Grant:
    """Read a token that one of the keys signed, that has not expired and has no longer lifetime than its scope allows.

    keys: by key_id.

    Raises:
        UnknownKeyError: another key signed it; the same token may be good with newer keys.
        BadTokenError: it is not good, and never will be.
    """
    try:
        kid = str(jwt.get_unverified_header(token).get("kid"))
        if kid not in keys:
            raise UnknownKeyError(f"no key {kid!r} is valid")
        claims = jwt.decode(token, keys[kid], [_ALGORITHM], options={"require": _REQUIRED, "verify_iat": False})
        scope = Scope(claims["scope"])
        _check_lifetime(scope, _time(claims, "exp") - _time(claims, "iat"))
        return Grant(claims["sub"], scope, _run(claims))
    except (jwt.InvalidTokenError, ValueError) as error:
        raise BadTokenError(str(error)) from error


def _check_lifetime(scope: Scope, seconds: float) -> None:
    if seconds > MAX_DAYS[scope] * DAY_SECONDS:
        raise ValueError(f"a token of scope {scope} is good for at most {MAX_DAYS[scope]} days")


def _time(claims: Mapping[str, Any], name: str) -> float:
    """A moment in seconds since 1970."""
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name}: must be a number")  # noqa: TRY004  # as all that is wrong with a token
    return value


def _run(claims: Mapping[str, Any]) -> int | None:
    run = claims.get("run")
    if run is not None and (type(run) is not int or claims["scope"] != Scope.WORKER):
        raise ValueError("run: must be a workflow run's id in a worker's token")
    return run
