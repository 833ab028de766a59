"""Sign and verify tokens: the caller's name, scope and expiry, signed (JWT, HS256), so that no token is stored."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jwt

from lockstep.access.scopes import MAX_DAYS, Scope
from lockstep.clock import now
from lockstep.text import digest

_ALGORITHM: Final = "HS256"
_REQUIRED: Final = ["sub", "scope", "iat", "exp"]
_NAME: Final = re.compile(r"[\w.@-]{1,64}", re.ASCII)
MIN_KEY_BYTES: Final = 32
"""RFC 7518, 3.2: a key is at least as long as the hash."""
DAY_SECONDS: Final = 86_400
GRACE_SECONDS: Final = 30 * DAY_SECONDS
"""The seconds after its expiry in which a worker's token may report on the instances that it claimed: decision 0034."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The contents of a token."""

    name: str
    """The caller's name, which the log of every request shows."""
    scope: Scope
    workflow_run_id: int | None = None
    """For a worker's token: the only run on whose instances it may report; None: all runs."""
    expires_at: int = field(default=0, compare=False)
    """Seconds since 1970; 0 in a grant that no token carries yet."""
    token_id: str = field(default="", compare=False)
    """An id of the token that is no secret."""

    def has_expired(self) -> bool:
        """Whether the token has expired. A worker's then has its grace period."""
        return now() >= self.expires_at


class UnknownKeyError(Exception):
    """A token names a signing key that is not valid."""


class BadTokenError(Exception):
    """A token is malformed, forged or expired."""


def key_id(key: str) -> str:
    """Return the id of a key, which its tokens carry. The key cannot be derived from it."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def sign(grant: Grant, key: str, issued_at: int, expires_at: int) -> str:
    """Sign a token that is valid between two moments, in seconds since 1970.

    Raises:
        ValueError: the name is not 1 to 64 letters, digits and . @ _ - (API Gateway logs it unescaped); a token for one
            run has another scope than worker; the lifetime is longer than the scope allows; or the key is too short.
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
    """Verify a token's signature, expiry and lifetime, and return its contents.

    A worker's token passes for GRACE_SECONDS after its expiry: the caller must look at Grant.has_expired.
    keys: the valid keys by key_id.

    Raises:
        UnknownKeyError: the token names another key; it may be valid with newer keys.
        BadTokenError: the token is not valid, whatever the keys.
    """
    try:
        kid = str(jwt.get_unverified_header(token).get("kid"))
        if kid not in keys:
            raise UnknownKeyError(f"no key {kid!r} is valid")
        options: Any = {"require": _REQUIRED, "verify_iat": False, "verify_exp": False}
        claims = jwt.decode(token, keys[kid], [_ALGORITHM], options=options)
        scope, issued_at, expires_at = Scope(claims["scope"]), _time(claims, "iat"), _time(claims, "exp")
        _check_lifetime(scope, expires_at - issued_at)
        if now() >= expires_at + (GRACE_SECONDS if scope is Scope.WORKER else 0):
            raise BadTokenError("it has expired")
        token_id = digest(f"{claims['sub']} {issued_at} {expires_at} {claims.get('run')}")
        return Grant(claims["sub"], scope, _run(claims), int(expires_at), token_id)
    except (jwt.InvalidTokenError, ValueError) as error:
        raise BadTokenError(str(error)) from error


def _check_lifetime(scope: Scope, seconds: float) -> None:
    if seconds > MAX_DAYS[scope] * DAY_SECONDS:
        raise ValueError(f"a token of scope {scope} is good for at most {MAX_DAYS[scope]} days")


def _time(claims: Mapping[str, Any], name: str) -> float:
    """Return a claim that is a time in seconds since 1970."""
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name}: must be a number")  # noqa: TRY004  # verify turns a ValueError into a BadTokenError
    return value


def _run(claims: Mapping[str, Any]) -> int | None:
    run = claims.get("run")
    if run is not None and (type(run) is not int or claims["scope"] != Scope.WORKER):
        raise ValueError("run: must be a workflow run's id in a worker's token")
    return run
