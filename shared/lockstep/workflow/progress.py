"""How far a workflow is: its client's poll for changes, and whether all is done."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from lockstep.clock import BULK_BUDGET_SECONDS, CALL_SECONDS, now
from lockstep.context import deadline
from lockstep.dynamodb.client import chunks, fetch, fetch_only, query, run_parallel
from lockstep.dynamodb.item import FeedIndex
from lockstep.errors import FieldError, InvalidError, TableError
from lockstep.fsm.statuses import TaskStatus
from lockstep.task.item import Task, change_of, feed_keys, since_key
from lockstep.workflow.store import read_workflow
from lockstep.workflow.tasks import task_ids

LAG_SECONDS: Final = 2.0
"""How far an index lags and the functions' clocks differ, together, at most."""
MARGIN_SECONDS: Final = BULK_BUDGET_SECONDS + CALL_SECONDS + LAG_SECONDS
"""How late the change feed may tell of a change: a write keeps its time through all tries of its request."""
READ_AT_ONCE: Final = 2_000
"""The tasks that are read side by side before a full poll looks at the time."""
MOST_TOLD: Final = 350_000
"""The tasks that one reply tells of: 17 bytes each, at most."""


class Progress(NamedTuple):
    """Task ids by status."""

    tasks_by_status: dict[TaskStatus, list[int]]
    at: float
    """The moment up to which this is all, seconds since 1970."""


def status_updates(workflow_id: int, since: float | None) -> Progress:
    """The tasks of a workflow by status: those that came since a moment to one that its client acts on, or all.

    What changed up to MARGIN_SECONDS earlier is told again. Jobmon's client expects that, and drops what it knows. Of
    more changes than MOST_TOLD the earliest are told; the next poll goes on there.

    Raises:
        NotFoundError: the workflow does not exist.
        InvalidError: all were asked for, and are more than one reply tells of.
        UnavailableError: they were not all read in time.
    """
    at = now()
    workflow = read_workflow(workflow_id, consistent=False)
    if since is None:
        if (workflow.num_tasks or 0) > MOST_TOLD:
            why = f"is needed: the workflow has {workflow.num_tasks} tasks, and one reply tells of {MOST_TOLD}"
            raise InvalidError([FieldError("last_sync", why)])
        return Progress(_all_by_status(workflow_id), at)
    parts = feed_keys(workflow_id, workflow.num_tasks or 0)
    found = run_parallel(lambda part: list(_changes(part, since - MARGIN_SECONDS)), parts)
    changes = [change for some in found for change in some]
    if len(changes) > MOST_TOLD:
        changes = sorted(changes)[:MOST_TOLD]
        at = changes[-1].at + MARGIN_SECONDS
    by_status: dict[TaskStatus, list[int]] = defaultdict(list)
    for change in changes:
        by_status[change.status].append(change.task_id)
    return Progress(dict(by_status), at)


class _Change(NamedTuple):
    at: float
    status: TaskStatus
    task_id: int


def _changes(part: str, since: float) -> Iterator[_Change]:
    for raw in query(part, FeedIndex.changed >= since_key(since), index=FeedIndex.Meta.index_name):
        yield _Change(*change_of(raw["changed"]["S"]), int(raw["pk"]["S"].removeprefix("TASK#")))


def _all_by_status(workflow_id: int) -> dict[TaskStatus, list[int]]:
    by_status: dict[TaskStatus, list[int]] = defaultdict(list)
    for task_id, status in _read_statuses(workflow_id, consistent=False):
        by_status[TaskStatus(status)].append(task_id)
    return dict(by_status)


def all_done(workflow_id: int) -> bool:
    """Whether a workflow has tasks, and each is done."""
    return {status for _, status in _read_statuses(workflow_id, consistent=True)} == {TaskStatus.DONE}


def read_tasks(workflow_id: int, after: int) -> Iterator[tuple[int, Task]]:
    """Yield a workflow's tasks whose ids are greater than `after`, by ascending id, as a read shows them that may lag.

    Raises:
        UnavailableError: the time is up before all were read.
    """
    for some in _some_ids(workflow_id, after):
        yield from tasks_with(some, consistent=False).items()


def tasks_with(ids: Sequence[int], *, consistent: bool) -> dict[int, Task]:
    """The tasks with these ids that exist, in the order of the ids."""
    found = fetch(map(Task.key, ids), consistent=consistent)
    return {task_id: Task.from_raw_data(raw) for task_id in ids if (raw := found.get(Task.key(task_id)))}


def _read_statuses(workflow_id: int, *, consistent: bool) -> Iterator[tuple[int, str]]:
    """Yield the status of each of a workflow's tasks, by ascending id.

    Raises:
        UnavailableError: as read_tasks.
    """
    for some in _some_ids(workflow_id, after=0):
        found = fetch_only("status", map(Task.key, some), consistent=consistent)
        yield from ((task_id, status) for task_id in some if (status := found.get(Task.partition(task_id))))


def _some_ids(workflow_id: int, after: int) -> Iterator[list[int]]:
    """Yield the ids in parts, as long as there is time."""
    for some in chunks(task_ids(workflow_id, after), READ_AT_ONCE):
        if deadline().passed():
            raise TableError("the workflow has more tasks than one call reads")
        yield some
