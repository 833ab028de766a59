"""Create an array, or change how many of its tasks may run at once."""

from lockstep.array.bind import bind_array
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Id, Name, SmallCount
from lockstep.http.models import Reply, Request


class ArrayToBind(Request):
    """An array is known by its workflow and its task template version."""

    workflow_id: Id
    task_template_version_id: Id
    max_concurrently_running: SmallCount
    name: Name


class ArrayReply(Reply):
    """The array's id."""

    array_id: int


@endpoint("create_array")
def lambda_handler(body: ArrayToBind) -> ArrayReply:
    """Create the array of a workflow and a template version, or update the concurrency of the existing one."""
    return ArrayReply(
        array_id=bind_array(body.workflow_id, body.task_template_version_id, body.max_concurrently_running, body.name)
    )
