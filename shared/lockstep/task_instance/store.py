"""A task instance and its task in the table: paired writes, heartbeats, reads. fsm/ has the rules."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Final, NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from lockstep import text
from lockstep.clock import now, sleep
from lockstep.context import deadline, only_run
from lockstep.dynamodb import keys
from lockstep.dynamodb.client import (
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
    run_parallel,
    transact,
    update,
)
from lockstep.dynamodb.items import (
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
from lockstep.dynamodb.keys import InstanceKey
from lockstep.errors import ForbiddenError, NotFoundError, TableError
from lockstep.fsm.guards import Decision
from lockstep.fsm.pair_state import Guard
from lockstep.fsm.statuses import NEEDS_ATTENTION, TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import Move
from lockstep.task_instance.report import ReportedFields

STATEMENTS_PER_REQUEST: Final = 25


class PairWrite(NamedTuple):
    """One report's part of a transaction: the decision that it carries out, and the fields that it stores."""

    instance: InstanceKey
    decision: Decision
    fields: ReportedFields

    @property
    def task_instance_target(self) -> TaskInstanceStatus | None:
        """The status that the instance moves to. None: it keeps its own."""
        ruling = self.decision.ruling
        return ruling.task_instance if isinstance(ruling, Move) else None

    @property
    def task_target(self) -> TaskStatus | None:
        """The status that the task moves to. None: it keeps its own."""
        ruling = self.decision.ruling
        return ruling.task if isinstance(ruling, Move) else None


class Rejection(NamedTuple):
    """The items that rejected a PairWrite. None: this item's guard held."""

    task_instance: TaskInstance | None
    task: Task | None
    missing: bool
    """The instance or the task does not exist."""


class WriteRejectedError(Exception):
    """A guard did not hold: the transaction wrote nothing."""

    def __init__(self, rejections: list[Rejection]) -> None:
        super().__init__("a guard did not hold")
        self.rejections = rejections


def write_pairs(writes: Sequence[PairWrite]) -> None:
    """Write all pairs in one transaction, or nothing. At most ACTIONS_PER_TRANSACTION actions.

    IAM authorises a transaction by its parts: the functions' roles allow UpdateItem, and no TransactWriteItems exists
    there.

    Raises:
        WriteRejectedError: with a rejection for each write.
        ContentionError, TableError: see dynamodb.client.reach.
    """
    at = now()
    actions = [_actions(write, at) for write in writes]

    def build(transaction: TransactWrite) -> None:
        for model, changes, condition in (action for parts in actions for action in parts):
            transaction.update(model, changes + model.renewed(at), condition, return_values="ALL_OLD")

    try:
        transact(build)
    except ConditionFailedError as failed:
        reasons = iter(failed.found)
        raise WriteRejectedError([_rejection([next(reasons) for _ in parts]) for parts in actions]) from failed


_Action = tuple[Expiring, list[Action], Condition | None]
"""An item's key, in a model without attributes to fill in; its changes; its condition."""


def _actions(write: PairWrite, at: float) -> list[_Action]:
    """The instance first, then its task, then what has no condition."""
    return [
        _instance_action(write, at),
        *_task_action(write, at),
        *_log_action(write),
        *_error_action(write, at),
    ]


def _instance_action(write: PairWrite, at: float) -> _Action:
    guard, target = write.decision.guard, write.task_instance_target
    condition = _one_of(TaskInstance, guard.task_instance)
    if guard.overdue:
        condition &= TaskInstance.report_by < at
    if guard.none_due_ahead:
        condition &= TaskInstance.report_by.does_not_exist() | (TaskInstance.report_by < at)
    if (run := only_run()) is not None:
        condition &= TaskInstance.workflow_run_id == run
    changes = _field_changes(write.fields)
    if target and target not in guard.task_instance:
        changes += [_becomes(TaskInstance, target), TaskInstance.status_date.set(at)]
        changes += _attention_changes(target, guard)
    return (Expiring(*_instance_item(write.instance)), changes or [_SAME_STATUS], condition)


def _instance_item(instance: InstanceKey) -> Key:
    return Key(keys.task(instance.task_id), keys.instance(instance.number))


@cache
def _one_of(model: type[TaskInstance | Task], statuses: frozenset[TaskInstanceStatus | TaskStatus]) -> Condition:
    """Cached: there are few guards, and PynamoDB makes an object of every operand."""
    return model.status.is_in(*sorted(statuses))


@cache
def _becomes(model: type[TaskInstance | Task], status: TaskInstanceStatus | TaskStatus) -> Action:
    """Cached, as _one_of."""
    return model.status.set(status)


@cache
def _is_latest(number: int) -> Condition:
    """Cached, as _one_of: a task has few attempts."""
    return Task.num_instances == number


@cache
def _is_superseded(number: int) -> Condition:
    """Cached, as _one_of."""
    return Task.num_instances > number


_SAME_STATUS: Final = Task.status.set(Task.status)
"""For an update that changes nothing else: an update must change something."""


def _attention_changes(target: TaskInstanceStatus, guard: Guard) -> list[Action]:
    if target in NEEDS_ATTENTION:
        return [TaskInstance.attention.set(keys.flag(target))]
    return [TaskInstance.attention.remove()] if guard.task_instance & NEEDS_ATTENTION else []


def _field_changes(fields: ReportedFields) -> list[Action]:
    changes: list[Action] = [
        getattr(TaskInstance, name).set(value)
        for name in ("distributor_id", "nodename", "process_group_id", "report_by")
        if (value := getattr(fields, name)) is not None
    ]
    for name in ("stdout", "stderr"):
        path = getattr(fields, name)
        if path is not None:
            inline = getattr(TaskInstance, name)
            changes.append(inline.remove() if _is_long(path) else inline.set(path))
    return changes


def _is_long(path: str) -> bool:
    return not text.fits(path, MAX_INLINE_PATH_BYTES)


def _task_action(write: PairWrite, at: float) -> list[_Action]:
    guard, target, number = write.decision.guard, write.task_target, write.instance.number
    if target is None and (guard.task, guard.attempts_left, guard.superseded) == (None, None, None):
        return []
    condition = Task.status.exists() if guard.task is None else _one_of(Task, guard.task)
    if guard.attempts_left is not None:
        left = Task.num_attempts < Task.max_attempts
        condition &= left if guard.attempts_left else ~left
    if guard.superseded is not None:
        condition &= _is_superseded(number) if guard.superseded else _is_latest(number)
    changes: list[Action] = [_becomes(Task, target), Task.status_date.set(at)] if target else [_SAME_STATUS]
    return [(Expiring(keys.task(write.instance.task_id), keys.TASK), changes, condition)]


def _log_action(write: PairWrite) -> list[_Action]:
    changes = _log_changes(write.fields)
    item = Expiring(keys.task(write.instance.task_id), keys.log(write.instance.number))
    return [(item, changes, None)] if changes else []


def _log_changes(fields: ReportedFields) -> list[Action]:
    printed: list[Action] = [
        getattr(Log, name).set(text.tail(value, MAX_LOG_CHARACTERS))
        for name in ("stdout_log", "stderr_log")
        if (value := getattr(fields, name)) is not None
    ]
    long_paths: list[Action] = [
        getattr(Log, name).set(path)
        for name in ("stdout", "stderr")
        if (path := getattr(fields, name)) is not None and _is_long(path)
    ]
    return printed + long_paths


def _error_action(write: PairWrite, at: float) -> list[_Action]:
    description = write.fields.error
    if description is None:
        return []
    instance = write.instance
    entry = Expiring(keys.task(instance.task_id), keys.error(instance.number, text.digest(description)))
    first_time_only: list[Action] = [
        ErrorEntry.description.set(ErrorEntry.description | text.cut(description, MAX_ERROR_BYTES)),
        ErrorEntry.error_time.set(ErrorEntry.error_time | at),
    ]
    return [(entry, first_time_only, None)]


def _rejection(reasons: list[RawItem | None]) -> Rejection:
    instance, task = None, None
    for raw in filter(None, reasons):
        if raw["sk"]["S"] == keys.TASK:
            task = Task.from_raw_data(raw)
        else:
            instance = TaskInstance.from_raw_data(raw)
    return Rejection(instance, task, missing=any(raw == {} for raw in reasons))


def log_heartbeat(instance: InstanceKey, fields: ReportedFields, unless: TaskInstanceStatus) -> TaskInstance:
    """Store a heartbeat's fields, unless the instance is in a status, and return the instance as it was before.

    One request and one write unit, unless a path is too long for the instance's own item.

    Raises:
        NotFoundError: the instance does not exist.
        ForbiddenError: it is of another workflow run than the caller may report on.
        ContentionError, TableError: see dynamodb.client.reach.
    """
    condition = TaskInstance.pk.exists() & (TaskInstance.status != unless)
    if (run := only_run()) is not None:
        condition &= TaskInstance.workflow_run_id == run
    renewed = Expiring.renewed(now())
    try:
        before = update(_instance_item(instance), _field_changes(fields) + renewed, condition)
    except ConditionFailedError as failed:
        [found] = failed.found
        rejected_by = TaskInstance.from_raw_data(found) if found else None
        if rejected_by is None or run not in {None, rejected_by.workflow_run_id}:
            raise not_there(instance) from None
        return rejected_by
    if long_paths := _log_changes(fields):
        log = Log(keys.task(instance.task_id), keys.log(instance.number))
        reach(lambda: log.update(long_paths + renewed))
    return TaskInstance.from_raw_data(before)


def not_there(instance: InstanceKey) -> NotFoundError | ForbiddenError:
    """The error about an instance that does not exist, or not in the one run that the caller may report on."""
    run = only_run()
    if run is None:
        return NotFoundError(f"task instance {instance.id} does not exist")
    return ForbiddenError(f"task instance {instance.id} is not of workflow run {run}, which the token is for")


def log_heartbeats(instances: Iterable[InstanceKey], report_by: float) -> None:
    """Set report_by of the instances that are LAUNCHED. All others stay as they are; unknown ones are ignored.

    One request for 25 instances, one write unit each. Repeating it changes nothing further.
    """
    changes = {key: {"N": str(report_by)} for key in instances}
    _set_where("report_by", changes, "status", {"S": TaskInstanceStatus.LAUNCHED.value})


def log_distributor_ids(distributor_ids: Mapping[InstanceKey, str], array_id: int) -> None:
    """Store the distributor ids of instances of this array. All others stay as they are; unknown ones are ignored.

    One request for 25 instances, one write unit each. Repeating it changes nothing further.
    """
    changes = {key: {"S": text.escape(distributor_id)} for key, distributor_id in distributor_ids.items()}
    _set_where("distributor_id", changes, "array_id", {"N": str(array_id)})


def log_taken_again(instances: Iterable[InstanceKey]) -> list[InstanceKey]:
    """Note that a distributor, maybe a new one, is told of the instances that are INSTANTIATED, and return those.

    One request for 25 instances, one write unit each. Repeating it changes nothing further.
    """
    changes = {key: {"N": str(now())} for key in instances}
    return _set_where("taken_at", changes, "status", {"S": TaskInstanceStatus.INSTANTIATED.value})


def _set_where(
    attribute: str,
    changes: Mapping[InstanceKey, dict[str, str]],
    where: str,
    equals: dict[str, str],
) -> list[InstanceKey]:
    """Set an attribute of each instance for which `where = equals` holds, and return those."""
    statement = f'UPDATE "{Item.Meta.table_name}" SET "{attribute}"=? WHERE pk=? AND sk=? AND "{where}"=?'  # noqa: S608  # only names of Lockstep's own

    def set_some(instances: Sequence[InstanceKey]) -> list[InstanceKey]:
        codes: dict[InstanceKey, str | None] = {}
        left = list(instances)
        for pause in pauses():
            codes |= reach(lambda: _execute(statement, left, changes, equals))  # noqa: B023  # called at once
            left = [key for key, code in codes.items() if code not in {None, CONDITION_FAILED}]
            if not left:
                break
            if deadline().passed():
                raise TableError(f"gave up after the time budget: {len(left)} instances are left")
            sleep(pause)
        return [key for key, code in codes.items() if code is None]

    done = run_parallel(set_some, chunks(changes, STATEMENTS_PER_REQUEST))
    return [key for some in done for key in some]


def _execute(
    statement: str,
    instances: Sequence[InstanceKey],
    changes: Mapping[InstanceKey, dict[str, str]],
    equals: dict[str, str],
) -> dict[InstanceKey, str | None]:
    """The error code of each statement. None: it was executed."""
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


def read_for_start(key: InstanceKey) -> tuple[TaskInstance, Spec]:
    """Read an instance and its specification. Of the instance, only what never changes is sure to be current.

    The reads may lag. Where they do, it shows (an item is missing, or the specification is of an earlier binding than
    the instance), and consistent reads follow.

    Raises:
        NotFoundError: the instance does not exist.
    """
    for consistent in (False, True):
        items = _start_items(key, consistent=consistent)
        raw_instance, raw_spec = (items.get(sk) for sk in (keys.instance(key.number), keys.SPEC))
        if raw_instance and raw_spec:
            instance, spec = TaskInstance.from_raw_data(raw_instance), Spec.from_raw_data(raw_spec)
            if consistent or spec.spec_version >= instance.spec_version:
                return instance, spec
    raise NotFoundError(f"task instance {keys.task_instance_id(*key)} does not exist")


def _start_items(key: InstanceKey, *, consistent: bool) -> dict[str, RawItem]:
    """The items by sort key.

    A Query is billed by the sum of what it reads, BatchGetItem by each item. Between the specification and the first
    instance lies only the task, so one Query is cheaper; before a later instance lie the logs of the earlier ones.
    """
    partition, last = keys.task(key.task_id), keys.instance(key.number)
    if key.number == 1:
        found = list(query(partition, Item.sk.between(keys.SPEC, last), consistent=consistent))
        return {raw["sk"]["S"]: raw for raw in found}
    wanted = [Key(partition, sk) for sk in (keys.SPEC, last)]
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
    partition = keys.task(key.task_id)
    wanted = [Key(partition, sk) for sk in (keys.instance(key.number), keys.TASK, keys.SPEC, keys.log(key.number))]
    items = fetch_at_once(wanted)
    instance, task, spec, log = (items.get(item) for item in wanted)
    if not (instance and task and spec):
        raise NotFoundError(f"task instance {keys.task_instance_id(*key)} does not exist")
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
    first, last = keys.instance(key.number), keys.errors(key.number) + "~"
    found = list(query(keys.task(key.task_id), Item.sk.between(first, last), consistent=True))
    if not found or found[0]["sk"]["S"] != first:
        raise NotFoundError(f"task instance {keys.task_instance_id(*key)} does not exist")
    return sorted((ErrorEntry.from_raw_data(raw) for raw in found[1:]), key=lambda entry: (entry.error_time, entry.sk))


def read_instances(wanted: Iterable[InstanceKey], *, consistent: bool = False) -> dict[InstanceKey, TaskInstance]:
    """Read the instances that exist. Unless consistent, only what never changes is sure to be current."""
    instances = {_instance_item(key): key for key in wanted}
    found = fetch(instances, consistent=True) if consistent else fetch_present(instances)
    return {instances[key]: TaskInstance.from_raw_data(raw) for key, raw in found.items()}


def read_pairs(wanted: Iterable[InstanceKey]) -> dict[InstanceKey, tuple[TaskInstance, Task]]:
    """Read the instances that exist and their tasks, as they stand now."""
    instances = {_instance_item(key): key for key in wanted}
    tasks = {Key(key.pk, keys.TASK) for key in instances}
    found = fetch([*instances, *tasks], consistent=True)
    return {
        instances[key]: (TaskInstance.from_raw_data(raw), Task.from_raw_data(found[Key(key.pk, keys.TASK)]))
        for key, raw in found.items()
        if key in instances and Key(key.pk, keys.TASK) in found
    }
