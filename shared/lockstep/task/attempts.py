"""A task with its attempts, as people look at it."""

from typing import Final, NamedTuple

from lockstep.clock import now
from lockstep.dynamodb.reads import fetch
from lockstep.errors import NotFoundError
from lockstep.task.bound_item import Spec
from lockstep.task.item import Specified, Task
from lockstep.task.specs import specification
from lockstep.task_instance.item import InstanceKey, TaskInstance

MOST_ATTEMPTS: Final = 25
"""The attempts that are shown, the newest."""


class Attempts(NamedTuple):
    """A task and its newest attempts."""

    task: Task
    spec: Specified
    instances: dict[InstanceKey, TaskInstance]
    """Newest first."""
    left_out: int
    """The older attempts."""


def look_at(task_id: int) -> Attempts:
    """Read a task and its newest attempts, by reads that may lag.

    Raises:
        NotFoundError: it does not exist.
    """
    key, apart = Task.key(task_id), Spec.key(task_id)
    found = fetch([key], consistent=False)
    task = Task.from_raw_data(found[key]) if key in found else None
    if task is None or task.has_expired(now()):
        raise NotFoundError(f"task {task_id} does not exist")
    newest = [
        InstanceKey(task_id, task.num_instances - older) for older in range(min(task.num_instances, MOST_ATTEMPTS))
    ]
    wanted = {TaskInstance.key(instance): instance for instance in newest}
    items = fetch([*wanted, *([] if task.specified else [apart])], consistent=False)
    spec = specification(task, Spec.from_raw_data(items[apart]) if apart in items else None)
    if spec is None:
        raise NotFoundError(f"task {task_id} does not exist")
    instances = {of: TaskInstance.from_raw_data(items[key]) for key, of in wanted.items() if key in items}
    return Attempts(task, spec, instances, task.num_instances - len(newest))
