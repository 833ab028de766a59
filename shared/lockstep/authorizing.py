"""From an Authorization header to a policy: what API Gateway asks of a Lambda authorizer of type TOKEN.

API Gateway keeps the answer for a token and applies it to whatever that token calls next. So a policy names every
method and path of its scope, not the one that was called.
"""

import base64
import logging
from typing import Any, Final

from lockstep.observability import count, observed, report
from lockstep.scopes import API, allowed
from lockstep.signing_keys import SigningKeys
from lockstep.tokens import BadTokenError, Grant, UnknownKeyError, verify

MAX_TOKEN: Final = 4_000


class UnauthorizedError(Exception):
    """Its text is what API Gateway answers with a 401; any other is a 500 to it."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def authorize(header: str, called: str, keys: SigningKeys) -> dict[str, Any]:
    """The policy for whoever sent the header; called is the ARN of the method.

    Raises:
        UnauthorizedError: there is no token in it, or it is not good.
        KeysUnavailableError: nobody can be told apart now.
    """
    grant = observed(_grant, header, called, keys)
    return {
        "principalId": grant.name,
        "policyDocument": _policy(grant, called),
        "context": _context(grant),
    }


def _grant(header: str, called: str, keys: SigningKeys) -> Grant:
    try:
        grant = _verify(_token(header), keys)
    except (BadTokenError, UnknownKeyError) as error:
        count("Unauthorized")
        report("a token is refused", level=logging.WARNING, called=called, why=str(error))
        raise UnauthorizedError from error
    report("a token is good", called=called, caller=grant.name, scope=grant.scope, only_run=grant.workflow_run_id)
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
    stage = "/".join(called.split("/")[:2])
    routes = (route.split(" ") for route in allowed(grant.scope))
    resources = [f"{stage}/{method}{API}{path}" for method, path in routes]
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _context(grant: Grant) -> dict[str, str | int]:
    """What the functions are told of the caller. A route's path does not say which run an instance is of: they look."""
    context: dict[str, str | int] = {"scope": grant.scope.value}
    return context if grant.workflow_run_id is None else context | {"workflow_run_id": grant.workflow_run_id}
