"""Read task instances, their specifications, logs and errors."""

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappush, heappushpop
from typing import Final, NamedTuple

from lockstep.dynamodb.item import Item, Key, RawItem
from lockstep.dynamodb.reads import fetch, fetch_at_once, fetch_present, query
from lockstep.errors import ContentionError, NotFoundError
from lockstep.task.bound_item import Spec
from lockstep.task.item import Specified, Task
from lockstep.task.specs import specification
from lockstep.task_instance.item import (
    ErrorEntry,
    ErrorText,
    InstanceKey,
    Log,
    TaskInstance,
)

MOST_ERRORS: Final = 1_000
"""The error entries of an instance that are shown at most: the newest."""
LISTED_BYTES: Final = 8_000_000
"""The bytes of error entries after which no further page of them is read: nine pages of 1 MB, 2,000 entries or more."""
ENTRY_BYTES: Final = 100
"""The bytes of an error entry beside its text, about."""
READ_TEXT_BYTES: Final = 8_000_000
"""The bytes of long error texts that are read at most, newest first: more than a reply holds."""


def read_for_start(key: InstanceKey) -> tuple[TaskInstance, Specified]:
    """Read an instance and its specification. Only attributes of the instance that never change are sure to be current.

    The reads may lag. Where they do, it shows (an item is missing, or the specification is of an earlier binding than
    the instance or the task), and consistent reads follow. A binding between the reads of one try shows too.

    Raises:
        NotFoundError: the instance does not exist.
        ContentionError: the task was bound again at each try.
    """
    spec = None
    for consistent in (False, True, True):
        items = _start_items(key, consistent=consistent)
        raw_instance, raw_task = (items.get(sk) for sk in (TaskInstance.sort_key(key.number), Task.SORT_KEY))
        if raw_instance and raw_task:
            instance, task = TaskInstance.from_raw_data(raw_instance), Task.from_raw_data(raw_task)
            apart = items.get(Spec.SORT_KEY)
            spec = specification(task, Spec.from_raw_data(apart) if apart else None)
            if spec and spec.spec_version >= max(instance.spec_version, task.spec_version):
                return instance, spec
    if spec:
        raise ContentionError(f"the task of {key.id} is being bound again; send it again")
    raise NotFoundError(f"task instance {key.id} does not exist")


def _start_items(key: InstanceKey, *, consistent: bool) -> dict[str, RawItem]:
    """The items by sort key.

    A Query is billed by the sum of what it reads, BatchGetItem by each item. Between a long specification and the first
    instance lies only the task, so one Query is cheaper; before a later instance lie the logs of the earlier ones.
    """
    partition, last = TaskInstance.key(key)
    if key.number == 1:
        found = list(query(partition, Item.sk.between(Spec.SORT_KEY, last), consistent=consistent))
        return {raw["sk"]["S"]: raw for raw in found}
    wanted = [Key(partition, sk) for sk in (Task.SORT_KEY, last)]
    items = {item.sk: raw for item, raw in fetch(wanted, consistent=consistent).items()}
    task = items.get(Task.SORT_KEY)
    if task is None or "command" in task:
        return items
    apart = fetch([Key(partition, Spec.SORT_KEY)], consistent=consistent)
    return items | {item.sk: raw for item, raw in apart.items()}


class Whole(NamedTuple):
    """An instance and all that belongs to it but its error entries."""

    instance: TaskInstance
    task: Task
    spec: Specified
    log: Log


def read_whole(key: InstanceKey) -> Whole:
    """Read an instance with its task, specification and log, all of one moment.

    Raises:
        NotFoundError: the instance does not exist.
    """
    wanted = [TaskInstance.key(key), Task.key(key.task_id), Spec.key(key.task_id), Log.key(key)]
    items = fetch_at_once(wanted)
    instance, raw_task, apart, log = (items.get(item) for item in wanted)
    task = Task.from_raw_data(raw_task) if raw_task else None
    spec = specification(task, Spec.from_raw_data(apart) if apart else None) if task else None
    if not (instance and task and spec):
        raise NotFoundError(f"task instance {key.id} does not exist")
    return Whole(
        TaskInstance.from_raw_data(instance),
        task,
        spec,
        Log.from_raw_data(log) if log else Log(),
    )


class ReportedError(NamedTuple):
    """An error that was reported about an instance."""

    at: float
    digest: str
    text: str | None
    """None: it was not read."""
    size: int
    """The bytes of a long text; 0 for one that its entry holds."""


class ErrorLog(NamedTuple):
    """The newest errors of an instance, in time order."""

    errors: Sequence[ReportedError]
    left_out: int
    """The entries that were read and are not among them."""
    complete: bool
    """Whether all entries were read."""


def read_errors(key: InstanceKey) -> ErrorLog:
    """Read an instance's newest errors: one consistent query, and the texts that are too long for it.

    The query ends with the page that exceeds LISTED_BYTES. Entries lie in the order of their digests, so the newest of
    what was read are shown.

    Raises:
        NotFoundError: the instance does not exist.
    """
    partition, first = TaskInstance.key(key)
    last = ErrorEntry.prefix(key.number) + "~"
    instance = next(found := query(partition, Item.sk.between(first, last), consistent=True), None)
    if instance is None or instance["sk"]["S"] != first:
        raise NotFoundError(f"task instance {key.id} does not exist")
    log = _newest(found)
    return log._replace(errors=_with_texts(key, log.errors))


def read_newest_error(key: InstanceKey) -> ReportedError | None:
    """Read the newest of an instance's errors, as read_errors finds it; None if it has none, or does not exist."""
    entries = Item.sk.startswith(ErrorEntry.prefix(key.number))
    errors = _newest(query(TaskInstance.key(key).pk, entries, consistent=True)).errors
    return _with_texts(key, errors[-1:])[0] if errors else None


def has_errors(key: InstanceKey) -> bool:
    """Whether an instance has an error entry."""
    entries = Item.sk.startswith(ErrorEntry.prefix(key.number))
    return any(query(TaskInstance.key(key).pk, entries, consistent=True, at_once=1))


def _newest(found: Iterator[RawItem]) -> ErrorLog:
    newest: list[ReportedError] = []
    left_out, taken = 0, 0
    for raw in found:
        if taken > LISTED_BYTES:
            return ErrorLog(sorted(newest), left_out, complete=False)
        error = _reported(ErrorEntry.from_raw_data(raw))
        taken += ENTRY_BYTES + len((error.text or "").encode(errors="surrogatepass"))
        if len(newest) < MOST_ERRORS:
            heappush(newest, error)
        else:
            heappushpop(newest, error)
            left_out += 1
    return ErrorLog(sorted(newest), left_out, complete=True)


def _reported(entry: ErrorEntry) -> ReportedError:
    return ReportedError(entry.error_time, entry.sk.rpartition("#")[2], entry.description, entry.text_bytes or 0)


def _with_texts(key: InstanceKey, errors: Sequence[ReportedError]) -> list[ReportedError]:
    """Read the long texts of the newest errors, as many as READ_TEXT_BYTES hold."""
    wanted: dict[str, Key] = {}
    room = READ_TEXT_BYTES
    for error in reversed(errors):
        room -= error.size
        if room < 0:
            break
        if error.text is None:
            wanted[error.digest] = ErrorText.key(key, error.digest)
    found = fetch(wanted.values(), consistent=True)
    texts = {digest: ErrorText.from_raw_data(found[of]).description for digest, of in wanted.items() if of in found}
    return [error._replace(text=texts.get(error.digest, error.text)) for error in errors]


def read_instances(wanted: Iterable[InstanceKey], *, consistent: bool = False) -> dict[InstanceKey, TaskInstance]:
    """Read the instances that exist. Unless consistent, only attributes that never change are sure to be current."""
    instances = {TaskInstance.key(key): key for key in wanted}
    found = fetch(instances, consistent=True) if consistent else fetch_present(instances)
    return {instances[key]: TaskInstance.from_raw_data(raw) for key, raw in found.items()}


def read_instances_of_run(
    workflow_run_id: int, wanted: Iterable[InstanceKey], *, consistent: bool = False
) -> dict[InstanceKey, TaskInstance]:
    """Read the instances that exist and are of a run: a batch may have steps of several. See read_instances."""
    found = read_instances(wanted, consistent=consistent)
    return {key: instance for key, instance in found.items() if instance.workflow_run_id == workflow_run_id}


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
