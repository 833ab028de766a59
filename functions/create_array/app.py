"""POST /api/v3/array: make an array of tasks, or change how many of it may run at once."""

from lockstep.binding import bind_array
from lockstep.endpoint import endpoint
from lockstep.wire import Id, Name, Nothing, Reply, Request, SmallCount


class ArrayToBind(Request):
    """An array is known by its workflow and its task template version."""

    workflow_id: Id
    task_template_version_id: Id
    max_concurrently_running: SmallCount
    name: Name


class ArrayReply(Reply):
    """The array's id."""

    array_id: int


@endpoint(Nothing, ArrayToBind)
def lambda_handler(_: Nothing, body: ArrayToBind) -> ArrayReply:
    """The same pair of ids again answers the same array and updates its concurrency."""
    return ArrayReply(
        array_id=bind_array(body.workflow_id, body.task_template_version_id, body.max_concurrently_running, body.name)
    )
