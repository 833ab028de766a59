"""Go through a workflow's tasks in groups, and note the last group that is done: a repeated call goes on behind it."""

from collections.abc import Iterator, Sequence
from typing import Final

from lockstep.clock import now
from lockstep.context import deadline
from lockstep.dynamodb.client import ConditionFailedError, reach
from lockstep.dynamodb.parallel import chunks
from lockstep.errors import ContentionError, UnavailableError
from lockstep.task.item import Task
from lockstep.workflow.item import Workflow
from lockstep.workflow.progress import tasks_with
from lockstep.workflow.tasks import task_ids

CURSOR_SECONDS: Final = 300.0
"""The seconds that the last group is remembered: Jobmon's client repeats a call within them. A link forgets it."""
GROUP: Final = 500
"""The tasks of a group: what is read, and changed, before the call looks at the time."""
MOST_GROUPS: Final = 500
"""The groups of one call: a reply holds the ids of their tasks."""
_ENOUGH: Final = 0.8
"""The share of the time after which a call begins no other group."""


def task_groups(
    workflow_id: int, workflow: Workflow, kind: str, *, only: Sequence[str] = ()
) -> Iterator[dict[int, Task]]:
    """Yield a workflow's tasks in groups, by ascending id, from where an earlier call of this kind came to.

    workflow: as it was read. The run that it had then may have ended since.
    only: the attributes that the tasks have (progress.py).

    A group counts as done once the next one is asked for. That is noted at once: a call that fails in a group loses no
    more than this group.

    Raises:
        UnavailableError: the time is up; the same call again goes on.
        ContentionError: a run was linked meanwhile, or another call goes through the tasks.
    """
    after = cursor_of(workflow, kind)
    for number, ids in enumerate(chunks(task_ids(workflow_id, after), GROUP)):
        if number:
            store_cursor(workflow_id, workflow, f"{kind}#{after}#{now()}")
        if number == MOST_GROUPS or (number and deadline().spent(_ENOUGH)):
            raise UnavailableError(f"tasks up to {after} are done; send it again for the rest")
        yield tasks_with(ids, consistent=True, only=only)
        after = ids[-1]
    if workflow.cursor is not None:
        store_cursor(workflow_id, workflow, None)


def cursor_of(workflow: Workflow, kind: str) -> int:
    """The last task id that an earlier call of this kind finished; 0 without such a call."""
    stored_kind, after, at = (workflow.cursor or "#0#0").split("#")
    return int(after) if stored_kind == kind and now() - float(at) < CURSOR_SECONDS else 0


def store_cursor(workflow_id: int, as_read: Workflow, cursor: str | None) -> None:
    """Store a cursor, unless another run was linked, or another cursor stored, than the workflow was read with."""
    workflow = Workflow(*Workflow.key(workflow_id))
    change = Workflow.cursor.remove() if cursor is None else Workflow.cursor.set(cursor)
    no_other_run = Workflow.workflow_run_id.does_not_exist()
    if as_read.workflow_run_id is not None:
        no_other_run |= Workflow.workflow_run_id == as_read.workflow_run_id
    same_cursor = Workflow.cursor.does_not_exist() if as_read.cursor is None else Workflow.cursor == as_read.cursor
    try:
        reach(lambda: workflow.update([change], no_other_run & same_cursor))
    except ConditionFailedError as failed:
        raise ContentionError("a run was linked, or another call goes through the tasks; send it again") from failed
    as_read.cursor = cursor
