"""A run's client polls for what became of its tasks."""

from lockstep import clock
from lockstep.fsm.statuses import TaskStatus
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Moment
from lockstep.http.models import Reply, Request
from lockstep.workflow.path import WorkflowPath
from lockstep.workflow.progress import status_updates


class ProgressPoll(Request):
    """The time of the last poll; without it all tasks are told of, or all that have changed if they are many."""

    last_sync: Moment | None = None


class ProgressReply(Reply):
    """Task ids by status, and the time to send with the next poll."""

    tasks_by_status: dict[TaskStatus, list[int]]
    time: str


@endpoint("task_status_updates")
def lambda_handler(path: WorkflowPath, body: ProgressPoll) -> ProgressReply:
    """Tell of the tasks that came to a status which the client acts on, or of all."""
    progress = status_updates(path.workflow_id, body.last_sync)
    return ProgressReply(tasks_by_status=progress.tasks_by_status, time=clock.naive(progress.at))
