"""Create tasks, or start over those that a workflow already has."""

from typing import Annotated

from pydantic import Field

from lockstep.fsm.statuses import TaskStatus
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import MAX_TASKS_PER_CALL, Id, Key
from lockstep.http.models import Reply, Request
from lockstep.task.bind import bind_tasks
from lockstep.task.to_bind import TaskToBind


class TasksToBind(Request):
    """Tasks by the caller's names for them. A workflow knows a task by its node and arguments."""

    workflow_id: Id
    tasks: Annotated[dict[Key, TaskToBind], Field(max_length=MAX_TASKS_PER_CALL)]
    mark_created: bool = True
    """These are the workflow's last tasks: a run of it may be linked."""


class BoundTasksReply(Reply):
    """The id and status of each task, by the caller's name for it."""

    tasks: dict[Key, tuple[int, TaskStatus]]


@endpoint("bind_tasks_no_args")
def lambda_handler(body: TasksToBind) -> BoundTasksReply:
    """Bind tasks. A known one starts over with its new command unless it is done, or runs without reset_if_running."""
    return BoundTasksReply(tasks=bind_tasks(body.workflow_id, body.tasks, complete=body.mark_created))
