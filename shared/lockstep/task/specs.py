"""The specifications of tasks: in the task's own item if they are short, else in one apart."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Final

from pynamodb.expressions.update import Action

from lockstep.dynamodb.item import MAX_TITLE_BYTES
from lockstep.dynamodb.reads import fetch
from lockstep.task.bound_item import Spec
from lockstep.task.item import MAX_INLINE_SPEC_BYTES, Specified, Task
from lockstep.text import beginning, size


@dataclass(frozen=True)
class Specification:
    """A task's command, name and resources. Each field is an attribute of Specified, too."""

    name: str
    command: str
    task_resources_id: int
    stdout_dir: str | None
    stderr_dir: str | None
    resource_scales: str | None = None
    fallback_queues: str | None = None

    @cached_property
    def bytes(self) -> int:
        """The bytes of its texts."""
        return sum(size(value) for _, value in self._attributes() if isinstance(value, str))

    @property
    def is_short(self) -> bool:
        """Whether the task's own item holds the specification."""
        return self.bytes <= MAX_INLINE_SPEC_BYTES

    @property
    def short_name(self) -> str | None:
        """The part of the name that the task's own item keeps if it does not hold the specification."""
        return None if self.is_short else beginning(self.name, MAX_TITLE_BYTES)

    def fill_task(self, task: Task) -> None:
        """Write it into a task that is about to be stored: all of it, or its short name."""
        if self.is_short:
            self.fill(task)
        task.short_name = self.short_name

    def fill(self, item: Specified) -> None:
        """Write it into an item that is about to be stored."""
        for name, value in self._attributes():
            setattr(item, name, value)

    def changes(self) -> Iterator[Action]:
        """Yield the actions that set the attributes in the task's own item, or remove them if they are stored apart."""
        kept = {name: value if self.is_short else None for name, value in self._attributes()}
        for name, value in {**kept, "short_name": self.short_name}.items():
            attribute = getattr(Task, name)
            yield attribute.remove() if value is None else attribute.set(value)

    def _attributes(self) -> Iterator[tuple[str, str | int | None]]:
        return ((field.name, getattr(self, field.name)) for field in fields(self))


def specification(task: Task, apart: Spec | None) -> Specified | None:
    """The item that holds a task's specification: the task's own, or the one apart. None: that one is missing."""
    return task if task.specified else apart


_OF_RESOURCES: Final = ("spec_version", "task_resources_id", "resource_scales", "fallback_queues")
"""The attributes that tell of a specification's resources: not its command, which may take 300 kB."""


def read_specs(tasks: Mapping[int, Task], *, consistent: bool) -> dict[int, Specified]:
    """The item that holds each task's specification, by id, if there is one.

    A short one is the task itself: nothing is read for it. Of one apart, only what it says of resources is read.
    """
    held: dict[int, Specified] = {task_id: task for task_id, task in tasks.items() if task.specified}
    apart = {Spec.key(task_id): task_id for task_id in tasks.keys() - held.keys()}
    found = fetch(apart, consistent=consistent, only=_OF_RESOURCES)
    return held | {apart[key]: Spec.from_raw_data(raw) for key, raw in found.items()}
