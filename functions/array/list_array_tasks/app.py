"""List the tasks of an array, page by page: all, or those in a status."""

from lockstep import clock
from lockstep.array.pages import Position, page_of_tasks
from lockstep.array.path import ArrayPath
from lockstep.fsm.statuses import TaskStatus
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Cursor, PageSize, Text
from lockstep.http.models import Reply, Request
from lockstep.task.item import Task
from lockstep.task_instance.item import InstanceKey


class Page(Request):
    """The status of the wanted tasks, and the page's cursor and size."""

    status: TaskStatus | None = None
    cursor: Cursor | None = None
    limit: PageSize = 50


class TaskRow(Reply):
    """A task."""

    task_id: int
    name: Text
    """The task's name; its first 150 bytes if its specification is long."""
    status: TaskStatus
    status_name: str
    status_date: str
    num_attempts: int
    max_attempts: int
    task_instance_id: int | None
    """The task's latest attempt."""


class ArrayTasksReply(Reply):
    """Some tasks. A page may hold fewer than asked for and still have a cursor, with which the next one begins."""

    tasks: list[TaskRow]
    cursor: str | None


@endpoint("list_array_tasks")
def lambda_handler(path: ArrayPath, query: Page) -> ArrayTasksReply:
    """List failed tasks newest first. Tasks under way are found by the statuses that their batches last noted."""
    after = None if query.cursor is None else Position.parse(query.cursor)
    page = page_of_tasks(path.array_id, query.status, after, query.limit)
    return ArrayTasksReply(
        tasks=[_row(task_id, task) for task_id, task in page.tasks.items()],
        cursor=None if page.following is None else str(page.following),
    )


def _row(task_id: int, task: Task) -> TaskRow:
    status = TaskStatus(task.status)
    return TaskRow(
        task_id=task_id,
        name=task.shown_name,
        status=status,
        status_name=status.name,
        status_date=clock.iso(task.status_date),
        num_attempts=task.num_attempts,
        max_attempts=task.max_attempts,
        task_instance_id=InstanceKey(task_id, task.num_instances).id if task.num_instances else None,
    )
