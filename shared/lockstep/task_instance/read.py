"""Read task instances and what belongs to them."""

from collections.abc import Iterable
from typing import NamedTuple

from lockstep.dynamodb.client import (
    fetch,
    fetch_at_once,
    fetch_present,
    query,
)
from lockstep.dynamodb.item import Item, Key, RawItem
from lockstep.errors import NotFoundError
from lockstep.task.item import Spec, Task
from lockstep.task_instance.item import (
    ErrorEntry,
    InstanceKey,
    Log,
    TaskInstance,
)


def read_for_start(key: InstanceKey) -> tuple[TaskInstance, Spec]:
    """Read an instance and its specification. Of the instance, only what never changes is sure to be current.

    The reads may lag. Where they do, it shows (an item is missing, or the specification is of an earlier binding than
    the instance), and consistent reads follow.

    Raises:
        NotFoundError: the instance does not exist.
    """
    for consistent in (False, True):
        items = _start_items(key, consistent=consistent)
        raw_instance, raw_spec = (items.get(sk) for sk in (TaskInstance.sort_key(key.number), Spec.SORT_KEY))
        if raw_instance and raw_spec:
            instance, spec = TaskInstance.from_raw_data(raw_instance), Spec.from_raw_data(raw_spec)
            if consistent or spec.spec_version >= instance.spec_version:
                return instance, spec
    raise NotFoundError(f"task instance {key.id} does not exist")


def _start_items(key: InstanceKey, *, consistent: bool) -> dict[str, RawItem]:
    """The items by sort key.

    A Query is billed by the sum of what it reads, BatchGetItem by each item. Between the specification and the first
    instance lies only the task, so one Query is cheaper; before a later instance lie the logs of the earlier ones.
    """
    partition, last = TaskInstance.key(key)
    if key.number == 1:
        found = list(query(partition, Item.sk.between(Spec.SORT_KEY, last), consistent=consistent))
        return {raw["sk"]["S"]: raw for raw in found}
    wanted = [Key(partition, sk) for sk in (Spec.SORT_KEY, last)]
    return {item.sk: raw for item, raw in fetch(wanted, consistent=consistent).items()}


class Whole(NamedTuple):
    """An instance and all that belongs to it but its error entries."""

    instance: TaskInstance
    task: Task
    spec: Spec
    log: Log


def read_whole(key: InstanceKey) -> Whole:
    """Read an instance with its task, specification and log, all of one moment.

    Raises:
        NotFoundError: the instance does not exist.
    """
    wanted = [TaskInstance.key(key), Task.key(key.task_id), Spec.key(key.task_id), Log.key(key)]
    items = fetch_at_once(wanted)
    instance, task, spec, log = (items.get(item) for item in wanted)
    if not (instance and task and spec):
        raise NotFoundError(f"task instance {key.id} does not exist")
    return Whole(
        TaskInstance.from_raw_data(instance),
        Task.from_raw_data(task),
        Spec.from_raw_data(spec),
        Log.from_raw_data(log) if log else Log(),
    )


def read_errors(key: InstanceKey) -> list[ErrorEntry]:
    """Read an instance's error entries in time order: one consistent query.

    Raises:
        NotFoundError: the instance does not exist.
    """
    partition, first = TaskInstance.key(key)
    last = ErrorEntry.prefix(key.number) + "~"
    found = list(query(partition, Item.sk.between(first, last), consistent=True))
    if not found or found[0]["sk"]["S"] != first:
        raise NotFoundError(f"task instance {key.id} does not exist")
    return sorted((ErrorEntry.from_raw_data(raw) for raw in found[1:]), key=lambda entry: (entry.error_time, entry.sk))


def read_instances(wanted: Iterable[InstanceKey], *, consistent: bool = False) -> dict[InstanceKey, TaskInstance]:
    """Read the instances that exist. Unless consistent, only what never changes is sure to be current."""
    instances = {TaskInstance.key(key): key for key in wanted}
    found = fetch(instances, consistent=True) if consistent else fetch_present(instances)
    return {instances[key]: TaskInstance.from_raw_data(raw) for key, raw in found.items()}


def read_pairs(wanted: Iterable[InstanceKey]) -> dict[InstanceKey, tuple[TaskInstance, Task]]:
    """Read the instances that exist and their tasks, as they stand now."""
    instances = {TaskInstance.key(key): key for key in wanted}
    tasks = {Key(key.pk, Task.SORT_KEY) for key in instances}
    found = fetch([*instances, *tasks], consistent=True)
    return {
        instances[key]: (TaskInstance.from_raw_data(raw), Task.from_raw_data(found[Key(key.pk, Task.SORT_KEY)]))
        for key, raw in found.items()
        if key in instances and Key(key.pk, Task.SORT_KEY) in found
    }
