"""Find out whether the URL leads to a deployment that the token may walk through, and check who is refused."""

from http import HTTPStatus

from ops.verify.api import Api, Reply
from ops.verify.checks import Checks
from ops.verify.target import UsageError

_HEALTHY = {"status": "OK"}
_GARBAGE = "lockstep-verify.is.no-token"


def reach(api: Api, *, with_token: bool) -> bool:
    """Whether the deployment asks for tokens.

    Raises:
        UsageError: the walk cannot start: nothing answers, no Lockstep answers, or the token does not suffice.
    """
    unknown = api.call("GET", "health", token="")
    if not unknown.status:
        raise UsageError(f"cannot reach {api.url}: {unknown.text}")
    asks = unknown.status == HTTPStatus.UNAUTHORIZED
    _check_open(unknown, api.url)
    if asks and not with_token:
        raise UsageError(
            f"{api.url} asks for a token: run `make verify URL=... TOKEN=...` with one that "
            "`make token SCOPE=operator DAYS=1` makes"
        )
    health = api.get("health")
    _check_open(health, api.url)
    if health.status == HTTPStatus.UNAUTHORIZED:
        raise UsageError("the deployment refuses the token: it has expired, or is for another deployment")
    if health.status < HTTPStatus.INTERNAL_SERVER_ERROR and health.body != _HEALTHY:
        raise UsageError(f"{api.url} is no Lockstep: {health}")
    _check_scope(api.get("task_instance/1"))
    return asks


def _check_open(health: Reply, url: str) -> None:
    """Any token may read the health. API Gateway answers 403 where it has no such route or wants a signature."""
    if health.status == HTTPStatus.FORBIDDEN:
        raise UsageError(
            f"{url}/api/v3/health is forbidden (403): the URL lacks its stage, the API is private to a VPC, or it was "
            "deployed with AuthMode=iam, where callers sign and tokens do not count"
        )


def _check_scope(reply: Reply) -> None:
    """Only an operator may read an instance whole."""
    if reply.status == HTTPStatus.FORBIDDEN:
        raise UsageError("the token lacks the scope operator: make one with `make token SCOPE=operator DAYS=1`")


def check_access(api: Api, checks: Checks, token: str, *, asks: bool) -> None:
    """Check that the deployment answers, and whom it refuses."""
    checks.equal("the deployment answers that it is healthy", api.get("health").value(), _HEALTHY)
    if asks:
        for what, other in (
            ("no token", ""),
            ("garbage for a token", _GARBAGE),
            ("a token whose signature was altered", _altered(token)),
        ):
            refused = api.call("GET", "health", token=other)
            checks.problem(f"a request with {what} is refused with 401", refused, HTTPStatus.UNAUTHORIZED)
    unknown = api.get("lockstep-verify-no-such-route")
    checks.problem("a route that does not exist is refused with 403", unknown, HTTPStatus.FORBIDDEN)


def _altered(token: str) -> str:
    """The token with another first character of its signature. The last character's low bits may not count."""
    signed, _, signature = token.rpartition(".")
    return f"{signed}.{'B' if signature.startswith('A') else 'A'}{signature[1:]}"
