"""Write an instance and its task in one transaction: guards become conditions, rulings and reported fields changes."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Final, NamedTuple

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from lockstep import text
from lockstep.clock import now
from lockstep.context import token
from lockstep.dynamodb.client import ConditionFailedError, Transaction, transact, update
from lockstep.dynamodb.item import Expiring, Key, RawItem
from lockstep.errors import ContentionError, TableError
from lockstep.fsm.guards import Guard
from lockstep.fsm.statuses import NEEDS_ATTENTION, TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import Move, Ruling
from lockstep.fsm.workflow_run import MAY_TAKE
from lockstep.observability import bind
from lockstep.task.item import Task, feed_changes
from lockstep.task_instance.item import (
    MAX_ERROR_BYTES,
    MAX_INLINE_BYTES,
    MAX_LOG_CHARACTERS,
    ErrorEntry,
    ErrorText,
    InstanceKey,
    Log,
    TaskInstance,
    attention_flag,
    is_long_error,
)
from lockstep.task_instance.report import ReportedFields
from lockstep.task_instance.sender import require_claimant, require_may_report_on
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.read import is_in_or_unknown


class PairWrite(NamedTuple):
    """One report in a transaction: the ruling that it carries out, its guard, and the fields that it stores."""

    instance: InstanceKey
    ruling: Ruling
    guard: Guard
    fields: ReportedFields
    last_claim: float | None = None
    """claimed_at of the instance, as DynamoDB last returned it."""

    @property
    def task_instance_target(self) -> TaskInstanceStatus | None:
        """The status that the instance moves to. None: it keeps its own."""
        return self.ruling.task_instance if isinstance(self.ruling, Move) else None

    @property
    def task_target(self) -> TaskStatus | None:
        """The status that the task moves to. None: it keeps its own."""
        return self.ruling.task if isinstance(self.ruling, Move) else None

    @property
    def takes_over(self) -> bool:
        """Whether a worker node takes the instance over from another one that was told to run it."""
        return isinstance(self.ruling, Move) and self.ruling.takes_over


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
    by_write = [_actions(write, at) for write in writes]
    renewed = Expiring.renewed(at)

    def build(transaction: Transaction) -> None:
        for run in open_runs:
            transaction.condition_check(WorkflowRun, *WorkflowRun.key(run), is_in_or_unknown(MAY_TAKE))
        for key, changes, condition in (action for actions in by_write for action in actions):
            transaction.change(key, changes + renewed, condition)

    try:
        transact(build)
    except ConditionFailedError as failed:
        found = iter(failed.found)
        if ended := {run for run in open_runs if next(found) is not None}:
            raise RunsEndedError(ended) from failed
        raise WriteRejectedError([_rejection([next(found) for _ in actions]) for actions in by_write]) from failed


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
    guard, target = write.guard, write.task_instance_target
    condition = _one_of(TaskInstance, guard.task_instance)
    if guard.overdue:
        condition &= TaskInstance.report_by < at
    if guard.not_yet_due is False:
        condition &= TaskInstance.report_by.does_not_exist() | (TaskInstance.report_by < at)
    if guard.same_claim:
        condition &= _UNCLAIMED if write.last_claim is None else TaskInstance.claimed_at == write.last_claim
    if guard.names:
        condition = require_claimant(condition, guard.names, write.fields)
    condition = require_may_report_on(condition)
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
"""The status before the update. `path | value` is DynamoDB's if_not_exists. The empty text is never stored: see
_SAME_STATUS.
"""
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
    guard, target, number = write.guard, write.task_target, write.instance.number
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
        changes = [_becomes(Task, target), Task.status_date.set(at), *feed_changes(write.instance.task_id, target, at)]
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


def instance_changes(fields: ReportedFields) -> list[Action]:
    """The changes of the instance. A text that is too long for it goes to its log."""
    changes: list[Action] = [
        getattr(TaskInstance, attribute).set(value)
        for attribute in ("distributor_id", "process_group_id", "report_by")
        if (value := getattr(fields, attribute)) is not None
    ]
    for attribute, limit in MAX_INLINE_BYTES.items():
        value = getattr(fields, attribute)
        if value is not None:
            inline = getattr(TaskInstance, attribute)
            changes.append(inline.set(value) if text.fits(value, limit) else inline.remove())
    if fields.claimed_at is not None:
        changes += _claim_changes(fields, fields.claimed_at)
    if fields.launched and fields.distributor_id is not None:
        changes.append(TaskInstance.launched_as.set(text.digest(fields.distributor_id)))
    return changes


def _claim_changes(fields: ReportedFields, at: float) -> list[Action]:
    """Replace the names of the last claim by those of this one."""
    names = ((TaskInstance.worker_job, fields.distributor_id), (TaskInstance.worker_node, fields.nodename))
    return [
        TaskInstance.claimed_at.set(at),
        *(attribute.remove() if value is None else attribute.set(text.digest(value)) for attribute, value in names),
        TaskInstance.claimed_with.remove() if (own := token().id) is None else TaskInstance.claimed_with.set(own),
    ]


def log_changes(fields: ReportedFields) -> list[Action]:
    """The changes of the log: what the command printed, and the texts that are too long for the instance."""
    printed: list[Action] = [
        getattr(Log, attribute).set(text.tail(value, MAX_LOG_CHARACTERS))
        for attribute in ("stdout_log", "stderr_log")
        if (value := getattr(fields, attribute)) is not None
    ]
    long: list[Action] = [
        getattr(Log, attribute).set(value)
        for attribute, limit in MAX_INLINE_BYTES.items()
        if (value := getattr(fields, attribute)) is not None and not text.fits(value, limit)
    ]
    return printed + long


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
