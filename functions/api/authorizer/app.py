"""Lambda authorizer: API Gateway asks it who calls, whatever the route."""

from typing import Any

from lockstep import imported
from lockstep.access.authorizer import authorize
from lockstep.access.signing_keys import SigningKeys

KEYS = SigningKeys.of_deployment()
imported()


def lambda_handler(event: dict[str, str], _: object) -> dict[str, Any]:
    """Return a policy for all routes that the token may call."""
    return authorize(event["authorizationToken"], event["methodArn"], KEYS)
