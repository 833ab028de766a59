"""Let the tasks of a workflow that are not done start over, for a client that resumes it by its id."""

from collections.abc import Mapping
from typing import Final

from lockstep.clock import expiry, now, sleep
from lockstep.context import deadline
from lockstep.dynamodb.client import pauses
from lockstep.dynamodb.item import Key
from lockstep.dynamodb.statements import Value, equals, set_where
from lockstep.errors import ContentionError
from lockstep.fsm.statuses import TaskStatus
from lockstep.fsm.transitions import is_reset_by_binding
from lockstep.observability import record_refusal
from lockstep.task.item import Task
from lockstep.workflow.cursor import cursor_of, task_groups
from lockstep.workflow.item import Workflow
from lockstep.workflow.progress import tasks_with
from lockstep.workflow.read import find_workflow
from lockstep.workflow_run.handover import is_linkable
from lockstep.workflow_run.leftovers import stop_leftovers


def start_over(workflow_id: int, *, running: bool) -> str | None:
    """Move a workflow's tasks that are not done to REGISTERING, with all their attempts left. Return why not, if so.

    running: those that run too. A workflow that does not exist has none.

    Raises:
        UnavailableError: not all that must stop has, or some have started over; the same call again goes on after them.
    """
    workflow = find_workflow(workflow_id)
    if workflow is None:
        record_refusal(f"no workflow {workflow_id} exists")
        return None
    kind = f"start over {running} {workflow.resume}"
    if why_not := _why_not(workflow_id, workflow, goes_on=cursor_of(workflow, kind) > 0):
        record_refusal(why_not)
        return why_not
    for tasks in task_groups(workflow_id, workflow, kind, only=_READ):
        _reset(tasks, running=running)
    return None


def _why_not(workflow_id: int, workflow: Workflow, *, goes_on: bool) -> str | None:
    """goes_on: an earlier call for the same resume has found that nothing may run. No run was linked since."""
    if not is_linkable(workflow):
        return f"Workflow {workflow_id} is not resumable. Please set the appropriate resume state."
    if not goes_on and stop_leftovers(workflow_id, workflow).may_run:
        return f"Workflow {workflow_id} is not resumable: a worker node may still run what was told to stop."
    return None


def _reset(tasks: Mapping[int, Task], *, running: bool) -> None:
    """Reset tasks. Those that have moved meanwhile are looked at again."""
    for pause in pauses():
        left = _to_reset(tasks, running=running)
        reset = set(_set_back(left))
        moved = [task_id for task_id in left if Task.key(task_id) not in reset]
        if not moved:
            return
        if deadline().passed():
            raise ContentionError("other callers kept moving the same tasks; send it again")
        sleep(pause)
        tasks = tasks_with(moved, consistent=True, only=_READ)


def _to_reset(tasks: Mapping[int, Task], *, running: bool) -> dict[int, Task]:
    kept = _kept(running=running)
    return {task_id: task for task_id, task in tasks.items() if not task.is_fresh and task.status not in kept}


def _kept(*, running: bool) -> set[TaskStatus]:
    return {status for status in TaskStatus if not is_reset_by_binding(status, reset_if_running=running)}


def _set_back(tasks: Mapping[int, Task]) -> list[Key]:
    """Set tasks back that have not moved since they were read, and return the keys of those."""
    at = now()
    change: dict[str, Value] = {
        "status": {"S": TaskStatus.REGISTERING},
        "status_date": {"N": str(at)},
        "num_attempts": {"N": "0"},
    }
    if (expires := expiry(at)) is not None:
        change["expires_at"] = {"N": str(expires)}
    by_key = {Task.key(task_id): task for task_id, task in tasks.items()}
    unmoved = {key: equals("status", {"S": task.status}) for key, task in by_key.items()}
    lost = {key: [name for name in _LOST if getattr(task, name) is not None] for key, task in by_key.items()}
    return set_where(dict.fromkeys(by_key, change), unmoved, lost)


_LOST: Final = ("changed", "listed_in", "listed_as", "bound_as")
"""What a task loses that starts over: its place in the change feed and in the list of what failed, and the word that it
is as it was bound.
"""
_READ: Final = ("status", "num_attempts", *_LOST)
"""What is read of a task."""
