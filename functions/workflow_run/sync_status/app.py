"""The distributor polls for what became of its instances."""

from lockstep import clock
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.http.common import TaskInstanceIds
from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply
from lockstep.workflow_run.path import RunPath
from lockstep.workflow_run.poll import sync_status


class Poll(TaskInstanceIds):
    """The instances that the distributor knows to be in a status."""

    status: TaskInstanceStatus


class SyncReply(Reply):
    """Ids by present status: instances that left the status asked for, and instances that reached it."""

    status_updates: dict[TaskInstanceStatus, list[int]]
    time: str


@endpoint("sync_status")
def lambda_handler(path: RunPath, body: Poll) -> SyncReply:
    """Return the statuses that differ from those that the distributor knows."""
    updates = sync_status(path.workflow_run_id, body.task_instance_ids, body.status)
    return SyncReply(status_updates=updates, time=clock.naive(clock.now()))
