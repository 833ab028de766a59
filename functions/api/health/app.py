"""Say that the API answers."""

from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply


class HealthReply(Reply):
    """Always OK."""

    status: str = "OK"


@endpoint("health")
def lambda_handler() -> HealthReply:
    """Answer without reading the table."""
    return HealthReply()
