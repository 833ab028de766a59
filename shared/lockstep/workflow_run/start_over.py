"""Let the tasks of a workflow that are not done start over, for a client that resumes it by its id."""

from collections.abc import Iterator, Mapping
from functools import partial

from lockstep.clock import now
from lockstep.dynamodb.client import ConditionFailedError, reach, run_parallel
from lockstep.fsm.statuses import TaskStatus
from lockstep.fsm.transitions import is_reset_by_binding
from lockstep.task.item import Task
from lockstep.workflow.cursor import task_groups
from lockstep.workflow.store import find_workflow
from lockstep.workflow_run.handover import is_linkable


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
    for tasks in task_groups(workflow_id, workflow, f"start over {running}"):
        run_parallel(partial(_reset, running=running), _to_reset(tasks, running=running))
    return None


def _to_reset(tasks: Mapping[int, Task], *, running: bool) -> Iterator[int]:
    for task_id, task in tasks.items():
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
