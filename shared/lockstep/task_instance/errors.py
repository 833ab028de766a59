"""The newest error of a task."""

from typing import NamedTuple

from lockstep.dynamodb.client import fetch
from lockstep.task.item import Task
from lockstep.task_instance.item import InstanceKey
from lockstep.task_instance.read import read_errors


class NewestError(NamedTuple):
    """An error entry's text and its attempt. Without an error, the text is empty and the attempt None."""

    description: str
    task_instance_id: int | None


def newest_error(task_id: int) -> NewestError:
    """Return the last error entry of the newest attempt that has one. A task that does not exist has none.

    Raises:
        UnavailableError: the time is up before an attempt with an error was found.
    """
    key = Task.key(task_id)
    raw = fetch([key], consistent=True).get(key)
    attempts = Task.from_raw_data(raw).num_instances if raw else 0
    for number in range(attempts, 0, -1):
        instance = InstanceKey(task_id, number)
        if errors := read_errors(instance).errors:
            return NewestError(errors[-1].text or "", instance.id)
    return NewestError("", None)
