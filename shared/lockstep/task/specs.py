"""The specifications of tasks: in the task's own item if they are short, else in one apart."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from pynamodb.expressions.update import Action

from lockstep.dynamodb.client import fetch
from lockstep.task.item import MAX_INLINE_SPEC_BYTES, Spec, Specified, Task
from lockstep.text import size


class Specification(NamedTuple):
    """What a task is to run. The fields are attributes of Specified."""

    name: str
    command: str
    task_resources_id: int
    stdout_dir: str | None
    stderr_dir: str | None
    resource_scales: str | None = None
    fallback_queues: str | None = None

    @property
    def bytes(self) -> int:
        """The bytes of its texts."""
        return sum(size(value) for value in self if isinstance(value, str))

    @property
    def is_short(self) -> bool:
        """Whether the task's own item holds it."""
        return self.bytes <= MAX_INLINE_SPEC_BYTES

    def fill(self, item: Specified) -> None:
        """Set its attributes of an item."""
        for name, value in zip(self._fields, self, strict=True):
            setattr(item, name, value)

    def changes(self) -> Iterator[Action]:
        """What an update changes of the task's own item: it sets the attributes, or removes them if they are apart."""
        short = self.is_short
        for name, value in zip(self._fields, self, strict=True):
            attribute = getattr(Task, name)
            yield attribute.set(value) if short and value is not None else attribute.remove()


_BESIDE_LONG_TEXTS: Final = ("spec_version", "task_resources_id", "resource_scales", "fallback_queues")


def read_specs(tasks: Mapping[int, Task], *, consistent: bool) -> dict[int, Specified]:
    """What the specification of each task says beside its name and its command, by id, if the task has one.

    A short one is the task itself: nothing is read for it. Of a long one, the long texts are not read.
    """
    held: dict[int, Specified] = {task_id: task for task_id, task in tasks.items() if task.specified}
    apart = {Spec.key(task_id): task_id for task_id in tasks.keys() - held.keys()}
    found = fetch(apart, consistent=consistent, only=_BESIDE_LONG_TEXTS)
    return held | {apart[key]: Spec.from_raw_data(raw) for key, raw in found.items()}
