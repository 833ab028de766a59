"""Find the instance that a worker node is to run."""

from lockstep.array.step import find_step
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import IdInPath
from lockstep.http.models import Reply, Request


class StepPath(Request):
    """A step of a batch of an array."""

    array_id: IdInPath
    batch_num: IdInPath
    step_id: IdInPath


class StepReply(Reply):
    """The instance of the step."""

    task_instance_id: int


@endpoint("get_array_task_instance_id")
def lambda_handler(path: StepPath) -> StepReply:
    """Find the instance by one query on the array-step index. Each worker node of an array calls this as it starts."""
    return StepReply(task_instance_id=find_step(path.array_id, path.batch_num, path.step_id))
