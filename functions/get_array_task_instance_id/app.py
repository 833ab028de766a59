"""GET /api/v3/get_array_task_instance_id/{array_id}/{batch_num}/{step_id}: which instance a worker node is to run."""

from lockstep.arrays import find_step
from lockstep.endpoint import endpoint
from lockstep.wire import IdInPath, Nothing, Reply, Request


class StepPath(Request):
    """A step of a batch of an array."""

    array_id: IdInPath
    batch_num: IdInPath
    step_id: IdInPath


class StepReply(Reply):
    """The instance of the step."""

    task_instance_id: int


@endpoint(StepPath, Nothing)
def lambda_handler(path: StepPath, _: Nothing) -> StepReply:
    """One query on the array-step index. Every worker node of an array calls this as it starts."""
    return StepReply(task_instance_id=find_step(path.array_id, path.batch_num, path.step_id))
