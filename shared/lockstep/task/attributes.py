"""Named values that a client notes of tasks."""

from collections.abc import Mapping

from lockstep.clock import expiry, now
from lockstep.dynamodb.puts import put_repeatable
from lockstep.dynamodb.reads import fetch
from lockstep.errors import FieldError, InvalidError
from lockstep.task.bound_item import TaskAttribute
from lockstep.task.item import Task


def note_attributes(attributes: Mapping[int, Mapping[str, str | None]]) -> None:
    """Note attributes of tasks; those with the same names get the new values. One write unit each, none for none.

    Raises:
        InvalidError: a task with attributes does not exist; nothing was noted.
        UnavailableError: some may be noted; the same call again notes the rest.
    """
    named = {task_id: values for task_id, values in attributes.items() if values}
    found = fetch(map(Task.key, named), consistent=True, only=("status",))
    missing = [task_id for task_id in named if Task.key(task_id) not in found]
    if missing:
        raise InvalidError([FieldError(f"task_attributes.{task_id}", "the task does not exist") for task_id in missing])
    expires_at = expiry(now())
    noted = [
        TaskAttribute(*TaskAttribute.key(task_id, name), value=value, expires_at=expires_at)
        for task_id, values in named.items()
        for name, value in values.items()
    ]
    put_repeatable(noted, told_apart_by=["value"])
