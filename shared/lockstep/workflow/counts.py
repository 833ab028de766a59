"""Count a workflow's tasks by array and status, from its batches instead of its tasks.

A batch stores the last seen status of each of its steps; polls and sweeps update it (array/last_seen.py). An index
lists the tasks that failed for good. One Query of the batches and one for each shard of that list give all counts: 21
read units for 100,000 tasks. tests/routes/test_looking.py limits them to 50.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from lockstep.array.item import Array, Batch, listed_in
from lockstep.context import deadline
from lockstep.dynamodb.item import ListedIndex, RawItem
from lockstep.dynamodb.parallel import once
from lockstep.dynamodb.reads import query
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus, WorkflowStatus
from lockstep.fsm.transitions import TASK_FOLLOWS
from lockstep.task.item import feed_keys
from lockstep.workflow.item import Workflow
from lockstep.workflow.tasks import task_ranges

TI = TaskInstanceStatus
T = TaskStatus

MOST_FAILED: Final = 1_000
"""The maximum number of failed tasks to count: 15 read units."""
_FAILED_AT_ONCE: Final = 250
MOST_SEEN: Final = 1_000_000
"""The maximum number of batch steps to count."""
MOST_LISTED: Final = 10_000
"""The maximum number of arrays and batches to read: 3 MB, if each batch has one step."""
MOST_RANGES: Final = 10_000
"""The maximum number of ranges of task ids to read: 1 MB, if each is of one array."""
_ENOUGH_RANGES: Final = 0.3
_ENOUGH_LISTED: Final = 0.6
_ENOUGH_FAILED: Final = 0.7
"""The shares of the time after which no more ranges, arrays and batches, and failed tasks are counted."""

SEEN_AS: Final[Mapping[TaskInstanceStatus, TaskStatus]] = {
    **TASK_FOLLOWS,
    TI.NO_HEARTBEAT: T.LAUNCHED,
    TI.TRIAGING: T.RUNNING,
    TI.KILL_SELF: T.RUNNING,
}
"""The task's status by the last seen status of its attempt. After any other one the task waits, or failed for good."""
UNDER_WAY: Final = (T.RUNNING, T.LAUNCHED, T.INSTANTIATING, T.QUEUED)


@dataclass(slots=True)
class ArrayCounts:
    """The counts of an array."""

    array: Array | None = None
    num_tasks: int = 0
    """The ids allocated to its tasks."""
    seen: Counter[TaskStatus] = field(default_factory=Counter)
    failed: int = 0

    def by_status(self, workflow: WorkflowStatus) -> dict[TaskStatus, int]:
        """Return the number of tasks by status. A task without another status waits for an attempt: REGISTERING.

        Attempts that were seen under way may have ended since, so the remaining tasks cap their number. They cap that
        of done ones too: an attempt that a later one has replaced may finish beside it. In a workflow that is DONE,
        every task that did not fail is done.
        """
        left = max(0, self.num_tasks - self.failed)
        done = left if workflow is WorkflowStatus.DONE else min(self.seen[T.DONE], left)
        left -= done
        counts = {T.DONE: done, T.ERROR_FATAL: self.failed}
        for status in reversed(UNDER_WAY):
            counts[status] = min(self.seen[status], left)
            left -= counts[status]
        return {T.REGISTERING: left, **counts}


@dataclass(slots=True)
class Counts:
    """The counts of a workflow."""

    arrays: dict[int, ArrayCounts] = field(default_factory=dict)
    seen_at: float | None = None
    """The oldest noted_at of the batches with tasks under way; None without such a batch."""
    more_failed: bool = False
    """Whether more tasks failed than were counted."""
    more_batches: bool = False
    """Whether more batches exist than were counted."""
    more_tasks: bool = False
    """Whether more task ids are allocated than were counted."""

    def of(self, array_id: int) -> ArrayCounts:
        """The counts of an array."""
        return self.arrays.setdefault(array_id, ArrayCounts())


def count_tasks(workflow_id: int, workflow: Workflow) -> Counts:
    """Count a workflow's tasks by array and status."""
    counts = Counts()
    _count_ranges(workflow_id, counts)
    _count_batches(workflow_id, counts)
    _count_failed(feed_keys(workflow_id, workflow.num_tasks or 0), counts)
    return counts


def _count_ranges(workflow_id: int, counts: Counts) -> None:
    for read, noted in enumerate(task_ranges(workflow_id, after=0)):
        if read == MOST_RANGES or deadline().spent(_ENOUGH_RANGES):
            counts.more_tasks = True
            return
        for array_id, number in noted.arrays or ():
            if array_id:
                counts.of(array_id).num_tasks += number


def _count_batches(workflow_id: int, counts: Counts) -> None:
    room = MOST_SEEN
    for read, raw in enumerate(_listed(listed_in(workflow_id))):
        if read == MOST_LISTED or deadline().spent(_ENOUGH_LISTED):
            counts.more_batches = True
            return
        array_id = int(raw["listed_as"]["S"].partition("#")[0])
        if "seen" not in raw:
            counts.of(array_id).array = Array.from_raw_data(raw)
            continue
        batch = Batch.from_raw_data(raw)
        room -= len(batch.seen)
        if room < 0:
            counts.more_batches = True
            return
        _count_batch(batch, array_id, counts)


def _count_batch(batch: Batch, array_id: int, counts: Counts) -> None:
    letters = Counter(batch.seen)
    statuses = Counter[TaskStatus]()
    for status, task in SEEN_AS.items():
        statuses[task] += letters[status]
    counts.of(array_id).seen += statuses
    if any(statuses[status] for status in UNDER_WAY) and batch.noted_at is not None:
        counts.seen_at = min(batch.noted_at, counts.seen_at or batch.noted_at)


def _count_failed(shards: Iterable[str], counts: Counts) -> None:
    entries = chain.from_iterable(_listed(shard, _FAILED_AT_ONCE) for shard in shards)
    failed = Counter[int]()
    for number, raw in enumerate(entries):
        if number == MOST_FAILED or deadline().spent(_ENOUGH_FAILED):
            counts.more_failed = True
            break
        failed[int(raw["array_id"]["N"])] += 1
    for array_id, number in failed.items():
        counts.of(array_id).failed = number


def _listed(partition: str, at_once: int | None = None) -> Iterator[RawItem]:
    """Yield the entries of a list, each once."""
    every, index = ListedIndex.listed_as >= "0", ListedIndex.Meta.index_name
    yield from once(query(partition, every, index=index, at_once=at_once), by=lambda raw: raw["listed_as"]["S"])
