"""POST /api/v3/workflow_run/{workflow_run_id}/sync_status: the distributor asks what became of its instances."""

from lockstep import clock
from lockstep.endpoint import endpoint
from lockstep.statuses import TaskInstanceStatus
from lockstep.syncing import sync_status
from lockstep.wire import Reply, RunPath, TaskInstanceIds


class Poll(TaskInstanceIds):
    """The instances that the distributor knows to be in a status."""

    status: TaskInstanceStatus


class SyncReply(Reply):
    """Ids by the status that stands: those that left the status, and those that came to it."""

    status_updates: dict[TaskInstanceStatus, list[int]]
    time: str


@endpoint(RunPath, Poll)
def lambda_handler(path: RunPath, body: Poll) -> SyncReply:
    """What differs from what the distributor knows."""
    updates = sync_status(path.workflow_run_id, body.task_instance_ids, body.status)
    return SyncReply(status_updates=updates, time=clock.naive(clock.now()))
