"""PUT /api/v3/task/bind_tasks_no_args: make tasks, or start over those that a workflow already has."""

from typing import Annotated

from pydantic import Field

from lockstep.binding import TaskToBind, bind_tasks
from lockstep.endpoint import endpoint
from lockstep.statuses import TaskStatus
from lockstep.wire import MAX_IDS_PER_CALL, Id, Key, Nothing, Reply, Request


class TasksToBind(Request):
    """Tasks by a name of the caller's; within a workflow they are known by node and arguments."""

    workflow_id: Id
    tasks: Annotated[dict[Key, TaskToBind], Field(max_length=MAX_IDS_PER_CALL)]


class BoundTasksReply(Reply):
    """Each task's id and status, by the caller's name."""

    tasks: dict[Key, tuple[int, TaskStatus]]


@endpoint(Nothing, TasksToBind)
def lambda_handler(_: Nothing, body: TasksToBind) -> BoundTasksReply:
    """A task that is not done (nor running, unless reset_if_running) starts over with its new command."""
    return BoundTasksReply(tasks=bind_tasks(body.workflow_id, body.tasks))
