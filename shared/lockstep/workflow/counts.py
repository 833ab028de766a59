"""How many tasks of a workflow are in which status, at the cost of its batches and not of its tasks.

A batch knows in which status each of its instances was last seen; polls and sweeps note it (array/attention.py). The
tasks that failed for good are listed in an index. So one Query of the batches and one for each part of that list tell
all: 20 read units for 100,000 tasks.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Final

from lockstep.array.item import Array, Batch, listed_in
from lockstep.dynamodb.client import query
from lockstep.dynamodb.item import Item, ListedIndex
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus, WorkflowStatus
from lockstep.task.item import feed_keys
from lockstep.workflow.item import TaskRange, Workflow

TI = TaskInstanceStatus
T = TaskStatus

MOST_FAILED: Final = 1_000
"""The failed tasks that are counted at most: 15 read units."""
_FAILED_AT_ONCE: Final = 250
MOST_SEEN: Final = 1_000_000
"""The steps of batches that are counted at most."""

SEEN_AS: Final[Mapping[TaskInstanceStatus, TaskStatus]] = {
    TI.QUEUED: T.QUEUED,
    TI.INSTANTIATED: T.INSTANTIATING,
    TI.LAUNCHED: T.LAUNCHED,
    TI.NO_HEARTBEAT: T.LAUNCHED,
    TI.RUNNING: T.RUNNING,
    TI.TRIAGING: T.RUNNING,
    TI.KILL_SELF: T.RUNNING,
    TI.DONE: T.DONE,
}
"""The status of a task whose attempt was last seen in a status. After another one it waits, or has failed for good."""
UNDER_WAY: Final = (T.RUNNING, T.LAUNCHED, T.INSTANTIATING, T.QUEUED)


@dataclass(slots=True)
class ArrayCounts:
    """What is counted of an array."""

    array: Array | None = None
    num_tasks: int = 0
    """The ids that are allocated to its tasks."""
    seen: Counter[TaskStatus] = field(default_factory=Counter)
    failed: int = 0

    def by_status(self, workflow: WorkflowStatus) -> dict[TaskStatus, int]:
        """Its tasks by status. Those that are in no other one wait for their first attempt or their next.

        What was seen under way may have ended since, so no more are said to be under way than are left. In a workflow
        that is done all tasks are.
        """
        done = self.num_tasks - self.failed if workflow is WorkflowStatus.DONE else self.seen[T.DONE]
        left = max(0, self.num_tasks - self.failed - done)
        counts = {T.DONE: done, T.ERROR_FATAL: self.failed}
        for status in reversed(UNDER_WAY):
            counts[status] = min(self.seen[status], left)
            left -= counts[status]
        return {T.REGISTERING: left, **counts}


@dataclass(slots=True)
class Counts:
    """What is counted of a workflow."""

    arrays: dict[int, ArrayCounts] = field(default_factory=dict)
    seen_at: float | None = None
    """When the batch was noted that was looked at longest ago, of those with tasks under way. None: there is none."""
    more_failed: bool = False
    """More tasks have failed than are counted."""
    more_batches: bool = False
    """More batches exist than are counted."""

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
    ranges = Item.sk.startswith(TaskRange.PREFIX)
    for raw in query(Workflow.key(workflow_id).pk, ranges):
        for array_id, number in TaskRange.from_raw_data(raw).arrays:
            if array_id:
                counts.of(array_id).num_tasks += number


def _count_batches(workflow_id: int, counts: Counts) -> None:
    every = ListedIndex.listed_as >= "0"
    room = MOST_SEEN
    shown: set[str] = set()
    for raw in query(listed_in(workflow_id), every, index=ListedIndex.Meta.index_name):
        if raw["listed_as"]["S"] in shown:
            continue  # a query may show an entry twice that is written meanwhile
        shown.add(raw["listed_as"]["S"])
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
    statuses = Counter(_SEEN_LETTERS[letter] for letter in batch.seen if letter in _SEEN_LETTERS)
    counts.of(array_id).seen += statuses
    if not statuses.keys().isdisjoint(UNDER_WAY) and batch.noted_at is not None:
        counts.seen_at = min(batch.noted_at, counts.seen_at or batch.noted_at)


_SEEN_LETTERS: Final = {str(status): task for status, task in SEEN_AS.items()}


def _count_failed(parts: Iterable[str], counts: Counts) -> None:
    failed = Counter(islice(chain.from_iterable(map(_arrays_of_failed, parts)), MOST_FAILED))
    for array_id, number in failed.items():
        counts.of(array_id).failed = number
    counts.more_failed = failed.total() == MOST_FAILED


def _arrays_of_failed(part: str) -> Iterator[int]:
    every = ListedIndex.listed_as >= "0"
    shown: set[str] = set()
    for raw in query(part, every, index=ListedIndex.Meta.index_name, at_once=_FAILED_AT_ONCE):
        if raw["listed_as"]["S"] not in shown:  # as above
            yield int(raw["array_id"]["N"])
        shown.add(raw["listed_as"]["S"])
