"""A task instance and its task in the table: paired writes, heartbeats, reads. Rules live in transitions.py."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from lockstep import keys, text
from lockstep.clock import Deadline, now, sleep
from lockstep.errors import ForbiddenError, NotFoundError, TableError
from lockstep.items import (
    MAX_ERROR_BYTES,
    MAX_INLINE_PATH_BYTES,
    MAX_LOG_CHARACTERS,
    ErrorEntry,
    Expiring,
    Item,
    Log,
    Spec,
    Task,
    TaskInstance,
)
from lockstep.keys import InstanceKey
from lockstep.standing import Premise
from lockstep.statuses import NEEDS_ATTENTION, TaskInstanceStatus, TaskStatus
from lockstep.table import (
    BUGS,
    CONDITION_FAILED,
    ConditionFailedError,
    Key,
    RawItem,
    chunks,
    connection,
    fetch,
    fetch_at_once,
    fetch_present,
    pauses,
    query,
    reach,
    side_by_side,
    transact,
    update,
)

ACTIONS_PER_TRANSACTION: Final = 100
STATEMENTS_PER_REQUEST: Final = 25


class Said(NamedTuple):
    """What a report says of the instance beside its status. None leaves what is stored alone."""

    distributor_id: str | None = None
    nodename: str | None = None
    process_group_id: int | None = None
    stdout: str | None = None
    stderr: str | None = None
    stdout_log: str | None = None
    stderr_log: str | None = None
    report_by: float | None = None
    """Seconds since 1970."""
    error: str | None = None
    """An error entry to add. The same words about the same instance are one entry."""

    def and_also(self, more: "Said") -> "Said":
        """Both; where both say something, more has the last word."""
        if more is NOTHING:
            return self
        return Said._make(mine if new is None else new for mine, new in zip(self, more, strict=True))

    @property
    def actions(self) -> int:
        """How many actions of a transaction an instance, its task and what is said of them take at most."""
        logs = any(value is not None for value in (self.stdout, self.stderr, self.stdout_log, self.stderr_log))
        return 2 + logs + (self.error is not None)


NOTHING: Final = Said()


class PairWrite(NamedTuple):
    """One instance's part of a transaction: where it and its task go, and what must be so for that to happen."""

    key: InstanceKey
    premise: Premise
    task_instance: TaskInstanceStatus | None
    """None: the status stays."""
    task: TaskStatus | None
    """None: the status stays."""
    said: Said
    only_run: int | None = None
    """The workflow run that the instance must be of. None: any."""


class Found(NamedTuple):
    """What turned a PairWrite down. A part that did not object is None."""

    task_instance: TaskInstance | None
    task: Task | None
    missing: bool
    """There is no such instance, or no such task."""


class LostRaceError(Exception):
    """The transaction's premises did not hold: nothing was written."""

    def __init__(self, found: list[Found]) -> None:
        super().__init__("a premise did not hold")
        self.found = found


def write_pairs(writes: Sequence[PairWrite], deadline: Deadline) -> None:
    """Write all of them in one transaction, or nothing. At most ACTIONS_PER_TRANSACTION.

    Raises:
        LostRaceError: with what was found, one entry for each write.
    """
    at = now()
    actions = [_actions(write, at) for write in writes]

    def build(transaction: TransactWrite) -> None:
        for model, changes, condition in (action for parts in actions for action in parts):
            transaction.update(model, changes + model.renewed(at), condition, return_values="ALL_OLD")

    try:
        transact(build, deadline)
    except ConditionFailedError as failed:
        reasons = iter(failed.found)
        raise LostRaceError([_found([next(reasons) for _ in parts]) for parts in actions]) from failed


_Action = tuple[Expiring, list[Action], Condition | None]
"""An item's key, in a model that has no attribute to fill in; what becomes of it; what must be so."""


def _actions(write: PairWrite, at: float) -> list[_Action]:
    """The instance first, then its task, then what has no conditions."""
    return [
        _instance_action(write, at),
        *_task_action(write, at),
        *_log_action(write),
        *_error_action(write, at),
    ]


def _instance_action(write: PairWrite, at: float) -> _Action:
    premise = write.premise
    condition = _one_of(TaskInstance, premise.task_instance)
    if premise.overdue:
        condition &= TaskInstance.report_by < at
    if premise.unexpected:
        condition &= TaskInstance.report_by.does_not_exist() | (TaskInstance.report_by < at)
    if write.only_run is not None:
        condition &= TaskInstance.workflow_run_id == write.only_run
    changes: list[Action] = _said_changes(write.said)
    if write.task_instance and write.task_instance not in premise.task_instance:
        changes += [_becomes(TaskInstance, write.task_instance), TaskInstance.status_date.set(at)]
        changes += _attention_changes(write.task_instance, premise)
    return (
        Expiring(keys.task(write.key.task_id), keys.instance(write.key.number)),
        changes or [_STAYS],
        condition,
    )


@cache
def _one_of(model: type[TaskInstance | Task], statuses: frozenset[TaskInstanceStatus | TaskStatus]) -> Condition:
    """Made once for each premise: there are few, and PynamoDB makes an object of every operand."""
    return model.status.is_in(*sorted(statuses))


@cache
def _becomes(model: type[TaskInstance | Task], status: TaskInstanceStatus | TaskStatus) -> Action:
    """Made once, as a condition is."""
    return model.status.set(status)


@cache
def _is_latest(number: int) -> Condition:
    """Made once, as a condition is: a task has few attempts."""
    return Task.num_instances == number


@cache
def _is_superseded(number: int) -> Condition:
    """As _is_latest."""
    return Task.num_instances > number


_STAYS: Final = Task.status.set(Task.status)
"""An update must change something: the status becomes what it is."""


def _attention_changes(status: TaskInstanceStatus, premise: Premise) -> list[Action]:
    if status in NEEDS_ATTENTION:
        return [TaskInstance.attention.set(keys.flag(status))]
    return [TaskInstance.attention.remove()] if premise.task_instance & NEEDS_ATTENTION else []


def _said_changes(said: Said) -> list[Action]:
    changes: list[Action] = [
        getattr(TaskInstance, name).set(value)
        for name in ("distributor_id", "nodename", "process_group_id", "report_by")
        if (value := getattr(said, name)) is not None
    ]
    for name in ("stdout", "stderr"):
        path = getattr(said, name)
        if path is not None:
            inline = getattr(TaskInstance, name)
            changes.append(inline.remove() if _is_long(path) else inline.set(path))
    return changes


def _is_long(path: str) -> bool:
    return not text.fits(path, MAX_INLINE_PATH_BYTES)


def _task_action(write: PairWrite, at: float) -> list[_Action]:
    premise = write.premise
    if write.task is None and (premise.task, premise.attempts_left, premise.superseded) == (None, None, None):
        return []
    condition = Task.status.exists() if premise.task is None else _one_of(Task, premise.task)
    if premise.attempts_left is not None:
        left = Task.num_attempts < Task.max_attempts
        condition &= left if premise.attempts_left else ~left
    if premise.superseded is not None:
        condition &= _is_superseded(write.key.number) if premise.superseded else _is_latest(write.key.number)
    changes: list[Action] = [_becomes(Task, write.task), Task.status_date.set(at)] if write.task else [_STAYS]
    return [(Expiring(keys.task(write.key.task_id), keys.TASK), changes, condition)]


def _log_action(write: PairWrite) -> list[_Action]:
    changes = _log_changes(write.said)
    return [(Expiring(keys.task(write.key.task_id), keys.log(write.key.number)), changes, None)] if changes else []


def _log_changes(said: Said) -> list[Action]:
    printed: list[Action] = [
        getattr(Log, name).set(text.tail(value, MAX_LOG_CHARACTERS))
        for name in ("stdout_log", "stderr_log")
        if (value := getattr(said, name)) is not None
    ]
    long_paths: list[Action] = [
        getattr(Log, name).set(path)
        for name in ("stdout", "stderr")
        if (path := getattr(said, name)) is not None and _is_long(path)
    ]
    return printed + long_paths


def _error_action(write: PairWrite, at: float) -> list[_Action]:
    said = write.said.error
    if said is None:
        return []
    entry = Expiring(keys.task(write.key.task_id), keys.error(write.key.number, text.digest(said)))
    first_time_only: list[Action] = [
        ErrorEntry.description.set(ErrorEntry.description | text.cut(said, MAX_ERROR_BYTES)),
        ErrorEntry.error_time.set(ErrorEntry.error_time | at),
    ]
    return [(entry, first_time_only, None)]


def _found(reasons: list[RawItem | None]) -> Found:
    instance, task = None, None
    for raw in filter(None, reasons):
        if raw["sk"]["S"] == keys.TASK:
            task = Task.from_raw_data(raw)
        else:
            instance = TaskInstance.from_raw_data(raw)
    return Found(instance, task, missing=any(raw == {} for raw in reasons))


def log_heartbeat(
    key: InstanceKey, said: Said, unless: TaskInstanceStatus, deadline: Deadline, *, only_run: int | None = None
) -> TaskInstance:
    """Store what a heartbeat says, unless the instance is in a status, and return the instance as it was before.

    One request and one write unit, unless a path is too long for the instance's own item.

    Raises:
        NotFoundError: there is no such instance.
        ForbiddenError: there is none in only_run.
    """
    partition = keys.task(key.task_id)
    condition = TaskInstance.pk.exists() & (TaskInstance.status != unless)
    if only_run is not None:
        condition &= TaskInstance.workflow_run_id == only_run
    renewed = Expiring.renewed(now())
    try:
        before = update(Key(partition, keys.instance(key.number)), _said_changes(said) + renewed, condition, deadline)
    except ConditionFailedError as failed:
        [found] = failed.found
        instance = TaskInstance.from_raw_data(found) if found else None
        if instance is None or only_run not in {None, instance.workflow_run_id}:
            raise not_there(keys.task_instance_id(*key), only_run) from None
        return instance
    if long_paths := _log_changes(said):
        log = Log(partition, keys.log(key.number))
        reach(lambda: log.update(long_paths + renewed), deadline)
    return TaskInstance.from_raw_data(before)


def not_there(task_instance_id: int, only_run: int | None) -> NotFoundError | ForbiddenError:
    """What to raise about an instance that does not exist, or not in the only run that the caller may speak of."""
    if only_run is None:
        return NotFoundError(f"task instance {task_instance_id} does not exist")
    return ForbiddenError(f"task instance {task_instance_id} is not of workflow run {only_run}, which the token is for")


def log_heartbeats(instances: Iterable[InstanceKey], report_by: float, deadline: Deadline) -> None:
    """Move report_by of those that are LAUNCHED and leave all others, the unknown ones too.

    One request for 25 instances, one write unit for each. Repeating it changes nothing further.
    """
    changes = {key: {"N": str(report_by)} for key in instances}
    _set_where("report_by", changes, "status", {"S": TaskInstanceStatus.LAUNCHED.value}, deadline)


def log_distributor_ids(distributor_ids: Mapping[InstanceKey, str], array_id: int, deadline: Deadline) -> None:
    """Store the distributor ids of instances of this array and leave all others, the unknown ones too.

    One request for 25 instances, one write unit for each. Repeating it changes nothing further.
    """
    changes = {key: {"S": text.escape(distributor_id)} for key, distributor_id in distributor_ids.items()}
    _set_where("distributor_id", changes, "array_id", {"N": str(array_id)}, deadline)


def log_taken_again(instances: Iterable[InstanceKey], deadline: Deadline) -> list[InstanceKey]:
    """Note of those that are INSTANTIATED that a distributor is told so, maybe another one than before. Those that are.

    One request for 25 instances, one write unit for each. Repeating it changes nothing further.
    """
    changes = {key: {"N": str(now())} for key in instances}
    return _set_where("taken_at", changes, "status", {"S": TaskInstanceStatus.INSTANTIATED.value}, deadline)


def _set_where(
    attribute: str,
    changes: Mapping[InstanceKey, dict[str, str]],
    where: str,
    equals: dict[str, str],
    deadline: Deadline,
) -> list[InstanceKey]:
    """Those of which it holds."""
    statement = f'UPDATE "{Item.Meta.table_name}" SET "{attribute}"=? WHERE pk=? AND sk=? AND "{where}"=?'  # noqa: S608  # no caller's words: names of ours

    def set_some(instances: Sequence[InstanceKey]) -> list[InstanceKey]:
        codes: dict[InstanceKey, str | None] = {}
        left = list(instances)
        for pause in pauses():
            codes |= reach(lambda: _execute(statement, left, changes, equals), deadline)  # noqa: B023  # called at once
            left = [key for key, code in codes.items() if code not in {None, CONDITION_FAILED}]
            if not left:
                break
            if deadline.passed():
                raise TableError(f"gave up after the time budget: {len(left)} instances are left")
            sleep(pause)
        return [key for key, code in codes.items() if code is None]

    done = side_by_side(set_some, chunks(changes, STATEMENTS_PER_REQUEST))
    return [key for some in done for key in some]


def _execute(
    statement: str,
    instances: Sequence[InstanceKey],
    changes: Mapping[InstanceKey, dict[str, str]],
    equals: dict[str, str],
) -> dict[InstanceKey, str | None]:
    """What went wrong with each; None: it is done."""
    statements = [
        {
            "Statement": statement,
            "Parameters": [changes[key], {"S": keys.task(key.task_id)}, {"S": keys.instance(key.number)}, equals],
        }
        for key in instances
    ]
    reply = connection().client.batch_execute_statement(Statements=statements, ReturnConsumedCapacity="TOTAL")
    codes = [each.get("Error", {}).get("Code") for each in reply["Responses"]]
    if bugs := set(codes) & BUGS:
        raise RuntimeError(f"a statement of ours is refused: {', '.join(bugs)}")
    return dict(zip(instances, codes, strict=True))


def read_for_start(key: InstanceKey, deadline: Deadline) -> tuple[TaskInstance, Spec]:
    """An instance and what it is to run. Of the instance, only what never changes is sure to be current.

    Cheap reads that may lag behind; where they do, it shows (an item is not there, or the specification is
    of an earlier binding than the instance) and they are made again, consistently.

    Raises:
        NotFoundError: there is no such instance.
    """
    for consistent in (False, True):
        items = _start_items(key, deadline, consistent=consistent)
        raw_instance, raw_spec = (items.get(sk) for sk in (keys.instance(key.number), keys.SPEC))
        if raw_instance and raw_spec:
            instance, spec = TaskInstance.from_raw_data(raw_instance), Spec.from_raw_data(raw_spec)
            if consistent or spec.spec_version >= instance.spec_version:
                return instance, spec
    raise NotFoundError(f"task instance {keys.task_instance_id(*key)} does not exist")


def _start_items(key: InstanceKey, deadline: Deadline, *, consistent: bool) -> dict[str, RawItem]:
    """By their sort keys. A query is billed by the sum of what it passes, a batch read by each item.

    Nothing but the task lies between the specification and the first instance; before a later one lies all that was
    said of the earlier ones.
    """
    partition, last = keys.task(key.task_id), keys.instance(key.number)
    if key.number == 1:
        found = list(query(partition, Item.sk.between(keys.SPEC, last), deadline, consistent=consistent))
        return {raw["sk"]["S"]: raw for raw in found}
    wanted = [Key(partition, sk) for sk in (keys.SPEC, last)]
    return {item.sk: raw for item, raw in fetch(wanted, deadline, consistent=consistent).items()}


class Whole(NamedTuple):
    """Everything that is known of an instance."""

    instance: TaskInstance
    task: Task
    spec: Spec
    log: Log


def read_whole(key: InstanceKey, deadline: Deadline) -> Whole:
    """An instance as it stands now, with all that belongs to it but its error entries, of one moment.

    Raises:
        NotFoundError: there is no such instance.
    """
    partition = keys.task(key.task_id)
    wanted = [Key(partition, sk) for sk in (keys.instance(key.number), keys.TASK, keys.SPEC, keys.log(key.number))]
    items = fetch_at_once(wanted, deadline)
    instance, task, spec, log = (items.get(item) for item in wanted)
    if not (instance and task and spec):
        raise NotFoundError(f"task instance {keys.task_instance_id(*key)} does not exist")
    return Whole(
        TaskInstance.from_raw_data(instance),
        Task.from_raw_data(task),
        Spec.from_raw_data(spec),
        Log.from_raw_data(log) if log else Log(),
    )


def read_errors(key: InstanceKey, deadline: Deadline) -> list[ErrorEntry]:
    """The error entries of an instance in time order. One consistent query.

    Raises:
        NotFoundError: there is no such instance.
    """
    first, last = keys.instance(key.number), keys.errors(key.number) + "~"
    found = list(query(keys.task(key.task_id), Item.sk.between(first, last), deadline, consistent=True))
    if not found or found[0]["sk"]["S"] != first:
        raise NotFoundError(f"task instance {keys.task_instance_id(*key)} does not exist")
    return sorted((ErrorEntry.from_raw_data(raw) for raw in found[1:]), key=lambda entry: (entry.error_time, entry.sk))


def read_by_id(
    task_instance_ids: Iterable[int], deadline: Deadline, *, consistent: bool = False
) -> dict[int, TaskInstance]:
    """Those of the instances that exist. Unless consistent, only what never changes is sure to be current."""
    by_key = {
        Key(keys.task(key.task_id), keys.instance(key.number)): keys.task_instance_id(*key)
        for key in keys.instance_keys(task_instance_ids)
    }
    found = fetch(by_key, deadline, consistent=True) if consistent else fetch_present(by_key, deadline)
    return {by_key[key]: TaskInstance.from_raw_data(raw) for key, raw in found.items()}


def read_pairs(wanted: Iterable[InstanceKey], deadline: Deadline) -> dict[InstanceKey, tuple[TaskInstance, Task]]:
    """Those of the instances that exist and their tasks, as they stand now."""
    instances = {Key(keys.task(key.task_id), keys.instance(key.number)): key for key in wanted}
    tasks = {Key(key.pk, keys.TASK) for key in instances}
    found = fetch([*instances, *tasks], deadline, consistent=True)
    return {
        instances[key]: (TaskInstance.from_raw_data(raw), Task.from_raw_data(found[Key(key.pk, keys.TASK)]))
        for key, raw in found.items()
        if key in instances and Key(key.pk, keys.TASK) in found
    }
