"""Let the tasks of a workflow that are not done start over, for a client that resumes it by its id."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from lockstep.clock import now
from lockstep.context import deadline
from lockstep.dynamodb.client import ConditionFailedError, chunks, reach, run_parallel
from lockstep.errors import UnavailableError
from lockstep.fsm.statuses import TaskStatus
from lockstep.fsm.transitions import is_reset_by_binding
from lockstep.task.item import Task
from lockstep.workflow.cursor import clear_cursor, cursor_of, store_cursor
from lockstep.workflow.progress import READ_AT_ONCE, read_tasks
from lockstep.workflow.store import find_workflow
from lockstep.workflow_run.handover import is_linkable

_ENOUGH: Final = 0.8
"""The share of the time after which a call begins no other group of tasks."""


def start_over(workflow_id: int, *, running: bool) -> str | None:
    """Move a workflow's tasks that are not done to REGISTERING, with all their attempts left. Return why not, if so.

    running: those that run too. A workflow that does not exist has none.

    Raises:
        UnavailableError: some have started over; the same call again goes on after them.
    """
    workflow = find_workflow(workflow_id)
    if workflow is None:
        return None
    if not is_linkable(workflow):
        return f"Workflow {workflow_id} is not resumable. Please set the appropriate resume state."
    kind = f"start over {running}"
    after = cursor_of(workflow, kind)
    for number, some in enumerate(chunks(read_tasks(workflow_id, after, consistent=True), READ_AT_ONCE)):
        if number and deadline().spent(_ENOUGH):
            store_cursor(workflow_id, kind, after)
            raise UnavailableError(f"tasks up to {after} have started over; send it again for the rest")
        run_parallel(partial(_reset, running=running), _to_reset(some, running=running))
        after = some[-1][0]
    if workflow.cursor is not None:
        clear_cursor(workflow_id)
    return None


def _to_reset(tasks: list[tuple[int, Task]], *, running: bool) -> Iterator[int]:
    for task_id, task in tasks:
        fresh = task.status == TaskStatus.REGISTERING and task.num_attempts == 0
        if not fresh and task.status not in _kept(running=running):
            yield task_id


def _kept(*, running: bool) -> set[TaskStatus]:
    return {status for status in TaskStatus if not is_reset_by_binding(status, reset_if_running=running)}


def _reset(task_id: int, *, running: bool) -> None:
    """Reset a task, unless it has moved meanwhile to where it is kept."""
    at = now()
    changes = [
        Task.status.set(TaskStatus.REGISTERING),
        Task.status_date.set(at),
        Task.num_attempts.set(0),
        Task.changed.remove(),
        Task.bound_as.remove(),
        *Task.renewed(at),
    ]
    try:
        reach(partial(Task(*Task.key(task_id)).update, changes, ~Task.status.is_in(*sorted(_kept(running=running)))))
    except ConditionFailedError:
        return
