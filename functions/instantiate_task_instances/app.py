"""POST /api/v3/task_instance/instantiate_task_instances: the distributor takes queued instances."""

from lockstep.arrays import InstanceBatch, instantiate
from lockstep.endpoint import endpoint
from lockstep.wire import Nothing, Reply, TaskInstanceIds


class InstantiateReply(Reply):
    """Of the ids asked for, all that are now I."""

    task_instance_batches: list[InstanceBatch]


@endpoint(Nothing, TaskInstanceIds)
def lambda_handler(_: Nothing, body: TaskInstanceIds) -> InstantiateReply:
    """Move those that are QUEUED, with their tasks, to INSTANTIATED. Asked again, it answers the same."""
    return InstantiateReply(task_instance_batches=instantiate(body.task_instance_ids))
