"""Show how many of an array's tasks may run at once."""

from lockstep.array.path import ArrayPath
from lockstep.array.read import read_array
from lockstep.http.common import LimitReply
from lockstep.http.endpoint import endpoint


@endpoint("get_array_limit")
def lambda_handler(path: ArrayPath) -> LimitReply:
    """Return the limit. A client asks for it at every poll; the read may lag."""
    return LimitReply(max_concurrently_running=read_array(path.array_id).max_concurrently_running)
