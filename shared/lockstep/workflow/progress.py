"""How far a workflow is: its client's poll for changes."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from lockstep.clock import BULK_BUDGET_SECONDS, CALL_SECONDS, now
from lockstep.context import PARALLEL, deadline
from lockstep.dynamodb.item import FeedIndex
from lockstep.dynamodb.parallel import chunks, run_parallel
from lockstep.dynamodb.reads import fetch, fetch_only, query
from lockstep.errors import TableError
from lockstep.fsm.statuses import TaskStatus
from lockstep.task.item import Task, change_of, feed_keys, since_key
from lockstep.workflow.read import read_workflow
from lockstep.workflow.tasks import task_ids

LAG_SECONDS: Final = 2.0
"""How far an index lags and the functions' clocks differ, together, at most."""
MARGIN_SECONDS: Final = BULK_BUDGET_SECONDS + CALL_SECONDS + LAG_SECONDS
"""How late the change feed may tell of a change: a write keeps its time through all tries of its request."""
READ_AT_ONCE: Final = 2_000
"""The tasks that are read side by side."""
MOST_TOLD: Final = 350_000
"""The tasks that one reply tells of: 17 bytes each, at most."""
MOST_IN_FULL: Final = 50_000
"""The tasks of a workflow, at most, whose statuses a poll without a time reads; of more, it tells what changed ever."""
CHANGES_AT_ONCE: Final = 1_000
"""The changes that are taken from a shard of the feed before a poll looks at the time."""
_STEP_SECONDS: Final = 1
"""The least by which a poll gets on. One that got less far would have its client ask for nearly the same for ever."""
_ENOUGH: Final = 0.7
"""The share of the time after which a poll tells what it has found."""


class Progress(NamedTuple):
    """Task ids by status."""

    tasks_by_status: dict[TaskStatus, list[int]]
    at: float
    """The moment up to which this is all, seconds since 1970."""


def status_updates(workflow_id: int, since: float | None) -> Progress:
    """The tasks of a workflow by status: those that came since a moment to one that its client acts on, or all.

    What changed up to MARGIN_SECONDS earlier is told again. Jobmon's client expects that, and drops what it knows. Of
    more changes than one reply tells, the earliest are told; the next poll goes on there. Without a moment, a workflow
    of more than MOST_IN_FULL tasks is told from its feed's beginning: tasks that never came to such a status are left
    out.

    Raises:
        NotFoundError: the workflow does not exist.
        UnavailableError: not enough of it was read in time.
    """
    at = now()
    workflow = read_workflow(workflow_id, consistent=False)
    num_tasks = workflow.num_tasks or 0
    if since is None and num_tasks <= MOST_IN_FULL:
        return Progress(_all_by_status(workflow_id), at)
    return _changed_since(since or 0.0, feed_keys(workflow_id, num_tasks), at)


class _Change(NamedTuple):
    at: float
    status: TaskStatus
    task_id: int


class _Found(NamedTuple):
    changes: list[_Change]
    """By time."""
    whole: bool
    """Whether the shard has no later ones."""


def _changed_since(since: float, shards: list[str], at: float) -> Progress:
    """What the shards of a feed tell. It is all up to the moment to which each of them was read.

    A task that the index shows twice, because its entry moves, is told of once: by its latest change.
    """
    rounds = -(-len(shards) // PARALLEL)
    found = run_parallel(
        lambda number: _changes(
            shards[number],
            since - MARGIN_SECONDS,
            most=MOST_TOLD // len(shards),
            enough=_ENOUGH * (number // PARALLEL + 1) / rounds,
        ),
        range(len(shards)),
    )
    until = min((shard.changes[-1].at for shard in found if not shard.whole), default=at)
    if until + MARGIN_SECONDS < min(at, since + _STEP_SECONDS):
        raise TableError("more tasks changed at the same time than one call reads")
    by_status: dict[TaskStatus, list[int]] = defaultdict(list)
    latest = {change.task_id: change.status for shard in found for change in shard.changes}
    for task_id, status in latest.items():
        by_status[status].append(task_id)
    return Progress(dict(by_status), min(at, until + MARGIN_SECONDS))


def _changes(shard: str, since: float, *, most: int, enough: float) -> _Found:
    """The earliest changes that a shard tells: at most so many, and as long as less than a share of the time is up."""
    changes: list[_Change] = []
    index = FeedIndex.Meta.index_name
    for some in chunks(query(shard, FeedIndex.changed >= since_key(since), index=index), CHANGES_AT_ONCE):
        if changes and (len(changes) + len(some) > most or deadline().spent(enough)):
            return _Found(changes, whole=False)
        changes += [_Change(*change_of(raw["changed"]["S"]), int(raw["pk"]["S"].removeprefix("TASK#"))) for raw in some]
    return _Found(changes, whole=True)


def _all_by_status(workflow_id: int) -> dict[TaskStatus, list[int]]:
    """The workflow has MOST_IN_FULL tasks at most: 500 requests, which the time of a bulk call holds."""
    by_status: dict[TaskStatus, list[int]] = defaultdict(list)
    for ids in chunks(task_ids(workflow_id), READ_AT_ONCE):
        for task_id, status in statuses_of(ids, consistent=False).items():
            by_status[TaskStatus(status)].append(task_id)
    return dict(by_status)


def tasks_with(ids: Sequence[int], *, consistent: bool, only: Sequence[str] = ()) -> dict[int, Task]:
    """The tasks with these ids that exist, in the order of the ids.

    only: the attributes that they have; all, if none are named. Parsing few takes less of the processor.
    """
    found = fetch(map(Task.key, ids), consistent=consistent, only=only)
    return {task_id: Task.from_raw_data(raw) for task_id in ids if (raw := found.get(Task.key(task_id)))}


def statuses_of(ids: Sequence[int], *, consistent: bool) -> dict[int, str]:
    """The status of each task with one of these ids that exists, in the order of the ids."""
    found = fetch_only("status", map(Task.key, ids), consistent=consistent)
    return {task_id: status for task_id in ids if (status := found.get(Task.partition(task_id)))}
