"""Give tasks their next attempt."""

from typing import Annotated

from pydantic import Field

from lockstep.array.path import ArrayPath
from lockstep.array.queue import queue_tasks
from lockstep.fsm.statuses import TaskStatus
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import MAX_TASKS_PER_CALL, Id
from lockstep.http.models import Reply, Request


class TasksToQueue(Request):
    """Tasks of the array, and the resources and the run of their new instances."""

    task_ids: Annotated[list[int], Field(max_length=MAX_TASKS_PER_CALL)]
    task_resources_id: Id
    workflow_run_id: Id


class QueuedReply(Reply):
    """All the ids asked for, by the status that stands."""

    tasks_by_status: dict[TaskStatus, list[int]]


@endpoint("queue_task_batch")
def lambda_handler(path: ArrayPath, body: TasksToQueue) -> QueuedReply:
    """Move each task in REGISTERING or ADJUSTING_RESOURCES to QUEUED, with a new instance."""
    return QueuedReply(
        tasks_by_status=queue_tasks(path.array_id, body.task_ids, body.task_resources_id, body.workflow_run_id)
    )
