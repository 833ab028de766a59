"""Tell the time."""

from lockstep import clock
from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply


class TimeReply(Reply):
    """The time in UTC, in whole seconds."""

    time: str


@endpoint("get_time")
def lambda_handler() -> TimeReply:
    """Return the time. A client asks for it as it begins, and then polls for changes since that time."""
    return TimeReply(time=clock.naive(clock.now()))
