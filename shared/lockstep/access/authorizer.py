"""Turn an Authorization header into a policy, as a Lambda authorizer of type TOKEN.

API Gateway keeps the answer for a token and applies it to whatever that token calls next. So a policy names every
method and path of its scope, not the one that was called.
"""

import base64
import logging
from typing import Any, Final

from lockstep import context
from lockstep.access.scopes import Scope
from lockstep.access.signing_keys import KeysUnavailableError, SigningKeys
from lockstep.access.tokens import BadTokenError, Grant, UnknownKeyError, verify
from lockstep.clock import Deadline
from lockstep.context import RequestContext
from lockstep.observability import count, write_line
from lockstep.routes import ROUTES
from lockstep.text import cut

MAX_TOKEN: Final = 4_000
"""Characters of a token."""
MAX_LOGGED: Final = 200
"""Bytes of what a caller can make long in the log: the reason quotes the token's key id, the ARN holds the path."""


class UnauthorizedError(Exception):
    """The token is refused. API Gateway answers 401 to this text alone, and 500 to any other."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def authorize(header: str, called: str, keys: SigningKeys) -> dict[str, Any]:
    """Make the policy for the sender of an Authorization header. called: the ARN of the method.

    Raises:
        UnauthorizedError: the header holds no token, or an invalid or expired one.
        KeysUnavailableError: there is no key to check it with.
    """
    grant = context.run_in(RequestContext(Deadline()), _grant, header, called, keys)
    return {
        "principalId": grant.name,
        "policyDocument": _policy(grant, called),
        "context": _context(grant),
    }


def _grant(header: str, called: str, keys: SigningKeys) -> Grant:
    logged = cut(called, MAX_LOGGED)
    try:
        grant = _verify(_token(header), keys)
    except KeysUnavailableError as error:
        write_line("no caller can be checked", level=logging.WARNING, called=logged, why=cut(str(error), MAX_LOGGED))
        raise
    except (BadTokenError, UnknownKeyError) as error:
        count("Unauthorized")
        write_line("a token is refused", level=logging.WARNING, called=logged, why=cut(str(error), MAX_LOGGED))
        raise UnauthorizedError from error
    write_line("a token is good", called=logged, caller=grant.name, scope=grant.scope, only_run=grant.workflow_run_id)
    return grant


def _token(header: str) -> str:
    """Bearer's token, or Basic's password, whoever the user is: that is where a URL's user:token@ arrives."""
    kind, _, rest = header.partition(" ")
    if len(rest) > MAX_TOKEN:
        raise BadTokenError("it is too long")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except ValueError as error:  # not ASCII, not base64, or not text in it
            raise BadTokenError("Basic is not base64 of user:token") from error
    raise BadTokenError("neither Basic nor Bearer")


def _verify(token: str, keys: SigningKeys) -> Grant:
    try:
        return verify(token, keys.valid())
    except UnknownKeyError:
        return verify(token, keys.newest())


def _policy(grant: Grant, called: str) -> dict[str, Any]:
    """Allow the routes that the scope opens.

    An operator's policy names the whole stage, so that a cached one covers a new route at once.
    """
    stage = "/".join(called.split("/")[:2])
    if grant.scope is Scope.OPERATOR:
        resources = [f"{stage}/*"]
    else:
        opened = [route for route in ROUTES if route.may_be_called_by(grant.scope, expired=grant.has_expired())]
        resources = [f"{stage}/{route.method}{route.wildcard}" for route in opened]
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _context(grant: Grant) -> dict[str, str | int]:
    """The caller's facts for the functions. They check an instance's run themselves: a path does not name it."""
    context: dict[str, str | int] = {
        "scope": grant.scope.value,
        "expires_at": grant.expires_at,
        "token_id": grant.token_id,
    }
    return context if grant.workflow_run_id is None else context | {"workflow_run_id": grant.workflow_run_id}
