"""Tell the time."""

from lockstep import clock
from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply


class TimeReply(Reply):
    """The time in UTC, in whole seconds."""

    time: str


@endpoint("get_time")
def lambda_handler() -> TimeReply:
    """A client asks as it begins, and polls for what has changed since."""
    return TimeReply(time=clock.naive(clock.now()))
