"""What the audit keeps of tasks and of what belongs to them while it reads: 24 bytes of each task, 32 of each range."""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from lockstep.task.bound_item import TaskLookup
from lockstep.task.item import Task
from lockstep.workflow.item import TaskRange
from ops.audit.ids import IdMap, fingerprint
from ops.audit.invariants.finding import Finding
from ops.audit.invariants.task import TaskItems

_HAS_LOOKUP: Final = 2**60
ANY_ARRAY: Final = -1
"""Where a task that was bound again may be: its range has the array of its first binding."""


@dataclass(slots=True)
class SeenTasks:
    """What was seen of tasks, their lookups and the ranges of their ids."""

    natural_keys: IdMap = field(default_factory=IdMap)
    """A fingerprint of each task's workflow and node, and whether a lookup must lead to it."""
    looked_up: IdMap = field(default_factory=IdMap)
    """The same, as the lookup has it that leads to the task."""
    places: IdMap = field(default_factory=IdMap)
    """A fingerprint of each task's workflow and array, of those that a range must hold."""
    ranges: "array[int]" = field(default_factory=lambda: array("Q"))
    """The first id, the number of ids, the workflow and the array of what ranges hold, one after the other."""
    counted: Counter[int] = field(default_factory=Counter)
    """The tasks of each workflow that a range must hold."""
    parts: dict[int, int] = field(default_factory=dict)
    """The last part of each workflow's change feed that lists tasks."""

    def add(self, items: TaskItems) -> None:
        """Keep a task."""
        task = items.task
        if task is None:
            return
        self.natural_keys[items.task_id] = natural_key(task) | _HAS_LOOKUP * must_have_lookup(task)
        if task.feed is not None:
            self.counted[task.workflow_id] += 1
            part = task.feed.rpartition("#")[2]
            self.parts[task.workflow_id] = max(
                self.parts.get(task.workflow_id, 0), int(part) if part.isdecimal() else 0
            )
            self.places[items.task_id] = place(task.workflow_id, task.array_id if task.spec_version == 1 else ANY_ARRAY)

    def add_lookup(self, lookup: TaskLookup, workflow_id: int, node_id: int) -> Finding | None:
        """Keep a lookup. Return what is wrong if another one leads to its task."""
        if self.looked_up[lookup.id]:
            got = f"task {lookup.id}, to which another one leads"
            return Finding("lookup", lookup.pk, got, "a task of its own")
        expires_at: int | None = lookup.expires_at
        if expires_at is None:
            self.looked_up[lookup.id] = _fingerprint(workflow_id, node_id)
        return None

    def add_range(self, noted: TaskRange, workflow_id: int) -> None:
        """Keep a range."""
        first = noted.ids.start
        for array_id, size in arrays_of(noted):
            self.ranges.extend((first, size, workflow_id, array_id))
            first += size

    def misplaced(self) -> Iterator[int]:
        """The tasks that no range holds, or one of another array. Each range is used up."""
        for at in range(0, len(self.ranges), 4):
            first, size, workflow_id, array_id = self.ranges[at : at + 4]
            fits = {place(workflow_id, array_id), place(workflow_id, ANY_ARRAY)} if array_id else set()
            for task_id in range(first, first + size):
                if self.places[task_id] in fits:
                    self.places[task_id] = 0
        yield from (task_id for task_id, _ in self.places)

    def misled(self) -> Iterator[int]:
        """The tasks whose lookup is of another workflow or node, or is missing."""
        for task_id, expected in self.natural_keys:
            found = self.looked_up[task_id]
            if found != expected % _HAS_LOOKUP and (found or expected >= _HAS_LOOKUP):
                yield task_id
        yield from (task_id for task_id, _ in self.looked_up if not self.natural_keys[task_id])


def natural_key(task: Task) -> int:
    """A fingerprint of what a task's lookup is of. Less than the mark that it must have one."""
    return _fingerprint(task.workflow_id, task.node_id or 0)


def must_have_lookup(task: Task) -> bool:
    """Whether a lookup leads to a task for certain: it was bound, no resume has changed it, and nothing expires."""
    return task.bound_as is not None and task.expires_at is None


def place(workflow_id: int, array_id: int) -> int:
    """A fingerprint of where a task is."""
    return fingerprint(workflow_id, array_id)


def arrays_of(noted: TaskRange) -> list[tuple[int, int]]:
    """The arrays of a range, each with how many ids it has; 0 for ids that nobody uses. None where nobody said."""
    return [(array_id, size) for array_id, size in noted.arrays or []]


def _fingerprint(workflow_id: int, node_id: int) -> int:
    return fingerprint(workflow_id, node_id) % _HAS_LOOKUP or 1
