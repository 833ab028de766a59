"""What is kept while a table is read, so that any number of instances fits into memory.

Of an instance 9 bytes: its id, and a byte for its status and for whether the index showed it. Of a task 16: its
workflow, and the workflow of the lookup that leads to it. Of a batch its item, with a letter for each step. Of an
array some numbers. All else is forgotten as soon as its partition has been looked at.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from lockstep.array.item import Array, Batch
from lockstep.dynamodb.item import Item, Key
from lockstep.fsm.statuses import TaskInstanceStatus

_PAGE: Final = 128
_INDEXED: Final = 0x80


class IdMap:
    """A number for each id, 8 bytes where ids are dense; 0 is none.

    >>> ids = IdMap()
    >>> ids[7] = 3
    >>> ids[7], ids[8], list(ids)
    (3, 0, [(7, 3)])
    """

    def __init__(self) -> None:
        self._pages: dict[int, array[int]] = {}

    def __setitem__(self, number: int, value: int) -> None:
        page, offset = divmod(number, _PAGE)
        if page not in self._pages:
            self._pages[page] = array("Q", bytes(8 * _PAGE))
        self._pages[page][offset] = value

    def __getitem__(self, number: int) -> int:
        page, offset = divmod(number, _PAGE)
        return self._pages[page][offset] if page in self._pages else 0

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for page, values in self._pages.items():
            yield from ((page * _PAGE + offset, value) for offset, value in enumerate(values) if value)


class BatchKey(NamedTuple):
    """Which batch."""

    array_id: int
    batch_num: int


class Steps:
    """The instances of one batch by step."""

    def __init__(self) -> None:
        self._ids = array("Q")
        self._letters = bytearray()

    def put(self, step: int, task_instance_id: int, status: TaskInstanceStatus) -> bool:
        """Whether the step was free."""
        missing = step + 1 - len(self._ids)
        if missing > 0:
            self._ids.frombytes(bytes(8 * missing))
            self._letters.extend(bytes(missing))
        if self._ids[step]:
            return False
        self._ids[step], self._letters[step] = task_instance_id, ord(status)
        return True

    def id_at(self, step: int) -> int:
        """0: nobody."""
        return self._ids[step] if step < len(self._ids) else 0

    def mark(self, step: int) -> None:
        """The index has shown it."""
        self._letters[step] |= _INDEXED

    def unmarked(self) -> list[int]:
        """The steps of those that the index has not shown."""
        return [step for step, letter in enumerate(self._letters) if letter and not letter & _INDEXED]

    def by_step(self) -> dict[int, tuple[int, TaskInstanceStatus]]:
        """Everybody's id and status."""
        letters = (chr(letter & ~_INDEXED) for letter in self._letters)
        there = zip(range(len(self._ids)), self._ids, letters, strict=True)
        return {step: (number, TaskInstanceStatus(letter)) for step, number, letter in there if number}


@dataclass(slots=True)
class ArrayEntry:
    """An array, if it was seen, and the last of its batches that was."""

    item: Array | None = None
    last_batch: int = 0


@dataclass(slots=True)
class Ledger:
    """All that is kept."""

    steps: dict[BatchKey, Steps] = field(default_factory=dict)
    batches: dict[BatchKey, list[Batch]] = field(default_factory=dict)
    arrays: dict[int, ArrayEntry] = field(default_factory=dict)
    tasks: IdMap = field(default_factory=IdMap)
    """The workflow of each."""
    looked_up: IdMap = field(default_factory=IdMap)
    """The workflow in the lookup that leads to the task."""
    attentive: dict[Key, tuple[str, str]] = field(default_factory=dict)
    """Run and attention of what carries it: batches that have not ended, and the few instances that are flagged."""
    last_ids: Counter[str] = field(default_factory=Counter)
    """The highest id seen of each kind that a counter gives out."""
    runs: dict[BatchKey, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    """How many instances of each run a batch has: nearly always of one."""
    torn: set[BatchKey] = field(default_factory=set)
    """Batches in which two instances had one step."""
    kinds: Counter[type[Item]] = field(default_factory=Counter)
    unreadable: int = 0
    """Items outside of tasks that are of no kind or malformed."""
    instances: Counter[str] = field(default_factory=Counter)
    """By status."""
    tasks_by_status: Counter[str] = field(default_factory=Counter)

    def array(self, array_id: int) -> ArrayEntry:
        """Its entry, made if need be."""
        return self.arrays.setdefault(array_id, ArrayEntry())

    def saw_id(self, kind: str, number: int) -> None:
        """Such an id has been given out."""
        self.last_ids[kind] = max(self.last_ids[kind], number)
