"""The newest error of a task."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple

from lockstep.dynamodb.parallel import chunks, run_parallel
from lockstep.dynamodb.reads import fetch
from lockstep.task.item import Task
from lockstep.task_instance.item import InstanceKey
from lockstep.task_instance.read import has_errors, read_newest_error


class NewestError(NamedTuple):
    """An error entry's text and its attempt. Without an error, the text is empty and the attempt None."""

    description: str
    task_instance_id: int | None


READ_IN_TURN: Final = 2
"""The newest attempts, which are read one after the other: one of them usually has the error."""
PROBED_AT_ONCE: Final = 64
"""The earlier attempts that are asked for an entry side by side: 16 times at most."""


def newest_error(task_id: int) -> NewestError:
    """Return the last error entry of the newest attempt that has one. A task that does not exist has none.

    One query for each attempt up to the one with the error, and one more; a task has 999 attempts at most.
    """
    key = Task.key(task_id)
    raw = fetch([key], consistent=True).get(key)
    attempts = Task.from_raw_data(raw).num_instances if raw else 0
    instances = [InstanceKey(task_id, number) for number in range(attempts, 0, -1)]
    for instance in chain(instances[:READ_IN_TURN], _with_errors(instances[READ_IN_TURN:])):
        if error := read_newest_error(instance):
            return NewestError(error.text or "", instance.id)
    return NewestError("", None)


def _with_errors(instances: Sequence[InstanceKey]) -> Iterator[InstanceKey]:
    for some in chunks(instances, PROBED_AT_ONCE):
        yield from (each for each, has in zip(some, run_parallel(has_errors, some), strict=True) if has)
