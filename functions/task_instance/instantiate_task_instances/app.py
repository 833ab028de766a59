"""The distributor takes queued instances."""

from lockstep.http.common import TaskInstanceIds
from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply
from lockstep.workflow_run.instantiate import InstanceBatch, instantiate


class InstantiateReply(Reply):
    """All instances among the ids that are I now, by batch."""

    task_instance_batches: list[InstanceBatch]


@endpoint("instantiate_task_instances")
def lambda_handler(body: TaskInstanceIds) -> InstantiateReply:
    """Move the instances that are QUEUED, with their tasks, to INSTANTIATED. The same call again returns the same."""
    return InstantiateReply(task_instance_batches=instantiate(body.task_instance_ids))
