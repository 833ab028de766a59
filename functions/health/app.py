"""GET /api/v3/health: whether the API answers."""

from lockstep.endpoint import endpoint
from lockstep.wire import Nothing, Reply


class HealthReply(Reply):
    """Says so."""

    status: str = "OK"


@endpoint(Nothing, Nothing)
def lambda_handler(_: Nothing, __: Nothing) -> HealthReply:
    """Touches no table."""
    return HealthReply()
