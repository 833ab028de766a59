"""Write a task instance and its task in one transaction, or a heartbeat alone. fsm/ has the rules."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Final, NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from lockstep import text
from lockstep.clock import now
from lockstep.context import only_run, token
from lockstep.dynamodb.client import (
    ConditionFailedError,
    Transaction,
    reach,
    transact,
    update,
)
from lockstep.dynamodb.item import Expiring, Key, RawItem
from lockstep.errors import ContentionError, ForbiddenError, NotFoundError, TableError
from lockstep.fsm.guards import Decision, Guard
from lockstep.fsm.pair_state import Names
from lockstep.fsm.statuses import NEEDS_ATTENTION, TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import Move
from lockstep.fsm.workflow_run import MAY_TAKE
from lockstep.observability import bind
from lockstep.task.item import Task, told_changes
from lockstep.task_instance.field_changes import instance_changes, log_changes
from lockstep.task_instance.item import (
    MAX_ERROR_BYTES,
    ErrorEntry,
    ErrorText,
    InstanceKey,
    Log,
    TaskInstance,
    attention_flag,
    is_long_error,
)
from lockstep.task_instance.names import not_contradicted
from lockstep.task_instance.report import ReportedFields
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.read import is_in_or_unknown


class PairWrite(NamedTuple):
    """One report's part of a transaction: the decision that it carries out, and the fields that it stores."""

    instance: InstanceKey
    decision: Decision
    fields: ReportedFields
    claim_seen: float | None = None
    """claimed_at of the instance, as it was seen."""

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

    @property
    def takes_over(self) -> bool:
        """Whether a worker node takes the instance over from another one that was told to run it."""
        ruling = self.decision.ruling
        return isinstance(ruling, Move) and ruling.takes_over


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


class RunsEndedError(Exception):
    """Workflow runs on which the writes depend have ended: the transaction wrote nothing."""

    def __init__(self, runs: set[int]) -> None:
        super().__init__("a run has ended")
        self.runs = runs


def write_pairs(writes: Sequence[PairWrite], open_runs: Collection[int] = ()) -> None:
    """Write all pairs in one transaction, or nothing. At most ACTIONS_PER_TRANSACTION actions.

    open_runs: workflow runs that must not have ended. Each takes one action and two write units.

    IAM authorises a transaction by its parts: the functions' roles allow UpdateItem, and IAM has no action named
    TransactWriteItems.

    Raises:
        RunsEndedError: some of open_runs have ended.
        WriteRejectedError: with a rejection for each write.
        ContentionError, TableError: see dynamodb.client.reach.
    """
    at = now()
    actions = [_actions(write, at) for write in writes]
    renewed = Expiring.renewed(at)

    def build(transaction: Transaction) -> None:
        for run in open_runs:
            transaction.condition_check(WorkflowRun, *WorkflowRun.key(run), is_in_or_unknown(MAY_TAKE))
        for key, changes, condition in (action for parts in actions for action in parts):
            transaction.change(key, changes + renewed, condition)

    try:
        transact(build)
    except ConditionFailedError as failed:
        found = iter(failed.found)
        if ended := {run for run in open_runs if next(found) is not None}:
            raise RunsEndedError(ended) from failed
        raise WriteRejectedError([_rejection([next(found) for _ in parts]) for parts in actions]) from failed


_Action = tuple[Key, list[Action], Condition | None]
"""An item's key, its changes and its condition."""


def _actions(write: PairWrite, at: float) -> list[_Action]:
    """Return the actions on the instance, on its task, and then those without a condition."""
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
    if guard.same_claim:
        condition &= _UNCLAIMED if write.claim_seen is None else TaskInstance.claimed_at == write.claim_seen
    if guard.names:
        condition = not_contradicted(condition, guard.names, write.fields)
    condition = _of_caller(condition)
    changes = instance_changes(write.fields)
    if write.takes_over:
        changes.append(_TAKEN_OVER)
    if target and target not in guard.task_instance:
        changes += [_CAME_FROM, _becomes(TaskInstance, target), TaskInstance.status_date.set(at)]
        changes += _attention_changes(target, guard)
    return (TaskInstance.key(write.instance), changes or [_SAME_STATUS], condition)


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


_UNCLAIMED: Final = TaskInstance.claimed_at.does_not_exist()
_TAKEN_OVER: Final = TaskInstance.takeovers.add(1)
_CAME_FROM: Final = TaskInstance.came_from.set(TaskInstance.status | "")
"""The status before the update. The empty text is never stored: see _SAME_STATUS."""
_SAME_STATUS: Final = Task.status.set(Task.status | "")
"""For an update of an instance or a task that changes nothing else: an update must change something. The empty text is
never stored, because the guard fails where there is no status. `SET status = status` might fail there first: AWS does
not document the order.
"""


def _attention_changes(target: TaskInstanceStatus, guard: Guard) -> list[Action]:
    if target in NEEDS_ATTENTION:
        return [TaskInstance.attention.set(attention_flag(target))]
    return [TaskInstance.attention.remove()] if guard.task_instance & NEEDS_ATTENTION else []


def _task_action(write: PairWrite, at: float) -> list[_Action]:
    guard, target, number = write.decision.guard, write.task_target, write.instance.number
    if target is None and not guard.concerns_task:
        return []
    condition = Task.status.exists() if guard.task is None else _one_of(Task, guard.task)
    if guard.attempts_left is not None:
        left = Task.num_attempts < Task.max_attempts
        condition &= left if guard.attempts_left else ~left
    if guard.superseded is not None:
        condition &= _is_superseded(number) if guard.superseded else _is_latest(number)
    changes: list[Action] = [_SAME_STATUS]
    if target:
        changes = [_becomes(Task, target), Task.status_date.set(at), *told_changes(write.instance.task_id, target, at)]
    return [(Task.key(write.instance.task_id), changes, condition)]


def _log_action(write: PairWrite) -> list[_Action]:
    changes = log_changes(write.fields)
    return [(Log.key(write.instance), changes, None)] if changes else []


def _error_action(write: PairWrite, at: float) -> list[_Action]:
    description = write.fields.error
    if description is None:
        return []
    instance, digest = write.instance, text.digest(description)
    entry = ErrorEntry.key(instance, digest)
    first_time = ErrorEntry.error_time.set(ErrorEntry.error_time | at)
    if not is_long_error(description):
        return [(entry, [ErrorEntry.description.set(ErrorEntry.description | description), first_time], None)]
    stored = text.cut(description, MAX_ERROR_BYTES)
    long_text = ErrorText.key(instance, digest)
    return [
        (entry, [ErrorEntry.text_bytes.set(text.size(stored)), first_time], None),
        (long_text, [ErrorText.description.set(stored)], None),
    ]


def _rejection(found: list[RawItem | None]) -> Rejection:
    instance, task = None, None
    for raw in filter(None, found):
        if raw["sk"]["S"] == Task.SORT_KEY:
            task = Task.from_raw_data(raw)
        else:
            instance = TaskInstance.from_raw_data(raw)
    return Rejection(instance, task, missing=any(raw == {} for raw in found))


def note_refusal(instance: InstanceKey) -> None:
    """Count that a claim or a report of another worker node or job was refused, for people to see. One write unit.

    The refusal stands whether it is counted or not: where DynamoDB does not take it, the log line says so.
    """
    try:
        update(TaskInstance.key(instance), [TaskInstance.refusals.add(1)], TaskInstance.pk.exists())
    except ConditionFailedError:
        bind(refusal_not_counted="the instance has expired meanwhile")
    except (ContentionError, TableError) as error:
        bind(refusal_not_counted=str(error))


def log_heartbeat(
    instance: InstanceKey, fields: ReportedFields, unless: TaskInstanceStatus
) -> tuple[TaskInstance, bool]:
    """Store a heartbeat's fields. Return the instance as it was before, and whether they were stored.

    They are not if the instance is in the status `unless`, or another worker node has claimed it.

    One request and one write unit, unless a text is too long for the instance's own item.

    Raises:
        NotFoundError: the instance does not exist.
        ForbiddenError: it is of another workflow run than the caller may report on.
        ContentionError, TableError: see dynamodb.client.reach.
    """
    condition = TaskInstance.pk.exists() & (TaskInstance.status != unless)
    condition = not_contradicted(condition, Names.WORKER, fields)
    condition = _of_caller(condition)
    renewed = Expiring.renewed(now())
    try:
        before = update(TaskInstance.key(instance), instance_changes(fields) + renewed, condition)
    except ConditionFailedError as failed:
        [found] = failed.found
        rejected_by = TaskInstance.from_raw_data(found) if found else None
        if rejected_by is None or not may_report_on(rejected_by):
            raise not_there(instance) from None
        return rejected_by, False
    if long := log_changes(fields):
        log = Log(*Log.key(instance))
        reach(lambda: log.update(long + renewed))
    return TaskInstance.from_raw_data(before), True


def _of_caller(condition: Condition) -> Condition:
    """Require that the caller may report on the instance (may_report_on)."""
    if (run := only_run()) is not None:
        condition &= TaskInstance.workflow_run_id == run
    if token().expired:
        condition &= TaskInstance.claimed_with == token().id
    return condition


def may_report_on(instance: TaskInstance) -> bool:
    """Whether the caller's token is for the instance's run and, if it has expired, claimed the instance."""
    of_run = only_run() in {None, instance.workflow_run_id}
    return of_run and (not token().expired or instance.claimed_with == token().id)


def not_there(instance: InstanceKey) -> NotFoundError | ForbiddenError:
    """The error about an instance that does not exist, or that the caller may not report on."""
    if token().expired:
        return ForbiddenError(f"the token has expired, and task instance {instance.id} was not claimed with it")
    run = only_run()
    if run is None:
        return NotFoundError(f"task instance {instance.id} does not exist")
    return ForbiddenError(f"task instance {instance.id} is not of workflow run {run}, which the token is for")
