"""The tasks of an array, page by page: all of them, or those in a status.

Three ways lead to them, so that a page costs what it shows: an index lists what failed for good, batches know what is
under way, and all others are found by their ids.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Final, NamedTuple

from lockstep.array.item import Array, Batch, array_listed_as, batch_listed_as, batch_of, listed_in
from lockstep.array.read import members, read_array
from lockstep.clock import now
from lockstep.context import deadline
from lockstep.dynamodb.item import ListedIndex
from lockstep.dynamodb.parallel import chunks, run_parallel
from lockstep.dynamodb.reads import KEYS_PER_READ, query
from lockstep.errors import FieldError, InvalidError
from lockstep.fsm.statuses import TaskStatus
from lockstep.task.item import Task, feed_keys
from lockstep.workflow.counts import SEEN_AS, UNDER_WAY
from lockstep.workflow.item import TaskRange
from lockstep.workflow.progress import tasks_with
from lockstep.workflow.read import find_workflow
from lockstep.workflow.tasks import task_ranges

MOST_BATCHES: Final = 100
"""The batches that a page looks at, to find tasks under way: 30 read units at most, of batches of 1,000 steps."""
_BATCHES_AT_ONCE: Final = 25
_RANGES_AT_ONCE: Final = 25
MOST_RANGES: Final = 1_000
"""The ranges of a workflow's task ids that a page looks at, to find those of its array: 40 requests."""
_ENOUGH_RANGES: Final = 0.5
"""The share of the time after which a page looks at no other range. One range may name 10,000 arrays."""
MOST_EXAMINED: Final = 500
"""The tasks, and the entries of the list of what failed, that a page looks at, to find those that are wanted."""
_FAILED_AT_ONCE: Final = 100
_ENOUGH: Final = 0.6
"""The share of the time after which a page ends."""


class Position(NamedTuple):
    """The beginning of a page: behind a task, behind a step of a batch, or behind a moment and a task that failed then.

    >>> str(Position.parse("12-3")), str(Position.parse("12"))
    ('12-3', '12')
    """

    first: int
    second: int | None = None

    def __str__(self) -> str:
        """The cursor's text, as a caller receives and returns it."""
        return str(self.first) if self.second is None else f"{self.first}-{self.second}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """Read a cursor's text."""
        first, _, second = text.partition("-")
        return cls(int(first), int(second) if second else None)


class TaskPage(NamedTuple):
    """Some tasks by id, and the position of the next page; None after the last page."""

    tasks: dict[int, Task]
    following: Position | None


def page_of_tasks(array_id: int, status: TaskStatus | None, after: Position | None, most: int) -> TaskPage:
    """The next tasks of an array, in a status if one is given, `most` at most. Reads may lag.

    A page may hold fewer: what an index or a batch says of a task may be out of date, and a page looks at a bounded
    number, and at as many as its time allows. Failed ones come newest first, others by ascending id or step.

    Raises:
        NotFoundError: the array does not exist.
        InvalidError: the position is of another list.
    """
    array = read_array(array_id)
    if after and (after.second is None) == (status in {*UNDER_WAY, TaskStatus.ERROR_FATAL}):
        raise InvalidError([FieldError("cursor", "is of another list: begin without one")])
    if status is TaskStatus.ERROR_FATAL:
        return _failed(array_id, array, after, most)
    if status in UNDER_WAY:
        return _under_way(array_id, array, status, after, most)
    return _by_id(array_id, array, status, after, most)


def _by_id(array_id: int, array: Array, status: TaskStatus | None, after: Position | None, most: int) -> TaskPage:
    page: dict[int, Task] = {}
    examined = 0
    ids = _Ids(array.workflow_id, array_id, after.first if after else 0)
    for some in chunks(islice(ids, MOST_EXAMINED), most if status is None else KEYS_PER_READ):
        for task_id, task in _read(some, array_id, status).items():
            page[task_id] = task
            if len(page) == most:
                return TaskPage(page, Position(task_id))
        examined += len(some)
        if examined == MOST_EXAMINED or deadline().spent(_ENOUGH):
            return TaskPage(page, Position(some[-1]))
    return TaskPage(page, None if ids.passed is None else Position(ids.passed))


@dataclass(slots=True)
class _Ids:
    """The ids allocated to an array's tasks that are greater than `after`, ascending."""

    workflow_id: int
    array_id: int
    after: int
    passed: int | None = None
    """The id up to which the ranges were looked at, if they were not looked at to the end."""

    def __iter__(self) -> Iterator[int]:
        ranges = task_ranges(self.workflow_id, self.after, at_once=_RANGES_AT_ONCE)
        for number, noted in enumerate(ranges):
            if number == MOST_RANGES or (number > 1 and deadline().spent(_ENOUGH_RANGES)):
                self.passed = noted.ids.start - 1
                return
            yield from self._within(noted)

    def _within(self, noted: TaskRange) -> Iterator[int]:
        first = noted.ids.start
        for of_array, number in noted.arrays or [(self.array_id, noted.size)]:
            if of_array == self.array_id:
                yield from range(max(first, self.after + 1), first + number)
            first += number


class _Step(NamedTuple):
    """A step of a batch."""

    batch: Batch
    number: int

    @property
    def position(self) -> Position:
        """The position behind this step."""
        return Position(batch_of(self.batch.pk)[1], self.number)


def _under_way(array_id: int, array: Array, status: TaskStatus, after: Position | None, most: int) -> TaskPage:
    steps: list[_Step] = []
    following = None
    begin = after or Position(0, -1)
    letters = {str(seen) for seen, of_task in SEEN_AS.items() if of_task is status}
    for examined, batch in enumerate(_batches(array_id, array.workflow_id, begin.first), 1):
        seen = (_Step(batch, step) for step, letter in enumerate(batch.seen) if letter in letters)
        steps += [step for step in seen if step.position > begin]
        if len(steps) >= most:
            following = steps[most - 1].position
            break
        if examined == MOST_BATCHES or deadline().spent(_ENOUGH):
            following = _Step(batch, len(batch.seen)).position
            break
    return TaskPage(_read(_tasks_at(steps[:most]), array_id, status), following)


def _batches(array_id: int, workflow_id: int, first: int) -> Iterator[Batch]:
    """An array's batches from a number on, as the index shows them."""
    within = ListedIndex.listed_as.between(batch_listed_as(array_id, first), f"{array_listed_as(array_id)}#~")
    index = ListedIndex.Meta.index_name
    for raw in query(listed_in(workflow_id), within, index=index, at_once=_BATCHES_AT_ONCE):
        yield Batch.from_raw_data(raw)


def _tasks_at(steps: Iterable[_Step]) -> list[int]:
    """The ids of the tasks at steps, as far as the index shows them."""
    by_batch: dict[str, list[_Step]] = defaultdict(list)
    for step in steps:
        by_batch[step.batch.pk].append(step)
    return [task_id for of_batch in run_parallel(_tasks_in_batch, by_batch.values()) for task_id in of_batch]


def _tasks_in_batch(steps: Sequence[_Step]) -> list[int]:
    found = members(steps[0].batch, [step.number for step in steps])
    return [found[step.number].task_id for step in steps if step.number in found]


def _failed(array_id: int, array: Array, after: Position | None, most: int) -> TaskPage:
    ids: list[int] = []
    workflow = find_workflow(array.workflow_id, consistent=False)
    num_tasks = (workflow.num_tasks if workflow else None) or 0
    lists = [_failed_in(shard, after) for shard in feed_keys(array.workflow_id, num_tasks)]
    following = None
    for examined, failed in enumerate(merge(*lists, reverse=True), 1):
        if failed.array_id == array_id:
            ids.append(failed.task_id)
        if len(ids) == most or examined == MOST_EXAMINED or deadline().spent(_ENOUGH):
            following = Position(failed.at, failed.task_id)
            break
    return TaskPage(_read(ids, array_id, TaskStatus.ERROR_FATAL), following)


class _Failed(NamedTuple):
    """A task that failed for good."""

    at: int
    """Milliseconds since 1970."""
    task_id: int
    array_id: int


def _failed_in(shard: str, after: Position | None) -> Iterator[_Failed]:
    """The tasks in a shard of the list of failed tasks, newest first."""
    until = f"{after.first:014d}#{after.second:016d}" if after else "~"
    earlier = ListedIndex.listed_as < until
    for raw in query(shard, earlier, index=ListedIndex.Meta.index_name, newest=True, at_once=_FAILED_AT_ONCE):
        at, _, task_id = raw["listed_as"]["S"].partition("#")
        yield _Failed(int(at), int(task_id), int(raw["array_id"]["N"]))


def _read(ids: Iterable[int], array_id: int, status: TaskStatus | None) -> dict[int, Task]:
    """The tasks with these ids, in their order, that are of an array and in a status, if one is given."""
    tasks = tasks_with(list(dict.fromkeys(ids)), consistent=False)
    return {
        task_id: task
        for task_id, task in tasks.items()
        if task.array_id == array_id and status in {None, task.status} and not task.has_expired(now())
    }
