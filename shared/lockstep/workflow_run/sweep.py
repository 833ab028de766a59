"""The sweep: find the instances that stopped reporting, and move them. A run's client requests it every 30 s."""

from collections.abc import Iterable
from typing import Final

from lockstep.array.attention import may_be_in, note, what_needs_attention
from lockstep.array.item import Batch
from lockstep.clock import HEARTBEAT_BUFFER_SECONDS, now
from lockstep.dynamodb.client import run_parallel
from lockstep.fsm.reports import ABANDONED, FELL_SILENT, NEVER_REPORTED
from lockstep.fsm.statuses import NEEDS_ATTENTION, TaskInstanceStatus
from lockstep.fsm.transitions import has_ended
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.task_instance.read import read_instances
from lockstep.task_instance.report import Report, ReportedFields
from lockstep.task_instance.transition import Outcome, transit_many

TI = TaskInstanceStatus

LAUNCH_SECONDS: Final = 2 * HEARTBEAT_BUFFER_SECONDS
"""How long an instance may stay in LAUNCHED without a report: it may wait in the cluster's queue."""
ABANDONED_SECONDS: Final = HEARTBEAT_BUFFER_SECONDS
"""The time that a distributor has to settle an instance that needs attention."""

_UNENDED: Final = frozenset(status for status in TI if not has_ended(status))
_OVERDUE: Final = {TI.RUNNING: FELL_SILENT, TI.LAUNCHED: NEVER_REPORTED}


def sweep(workflow_run_id: int) -> None:
    """Move overdue instances: RUNNING to TRIAGING, LAUNCHED to NO_HEARTBEAT. Settle those that no distributor settles.

    Only the batches in which an instance may be overdue by now are read.

    Raises:
        UnavailableError: some instances may have moved; the same call again does the rest.
    """
    attention = what_needs_attention(workflow_run_id, now())
    _settle_abandoned(attention.instances)
    run_parallel(lambda batch: _sweep_batch(batch, workflow_run_id), attention.batches)


def _sweep_batch(batch: Batch, workflow_run_id: int) -> None:
    steps = may_be_in(batch, _UNENDED)
    if steps is None:
        return
    found = read_instances(steps.values())
    of_run = {key: instance for key, instance in found.items() if instance.workflow_run_id == workflow_run_id}
    at = now()
    overdue = [
        key for key, instance in of_run.items() if TI(instance.status) in _OVERDUE and next_check(instance, at) < at
    ]
    reports = [Report(key, _OVERDUE[TI(of_run[key].status)]) for key in overdue]
    outcomes = dict(zip(overdue, transit_many(reports), strict=True))
    seen = {step: _seen(of_run[key], outcomes.get(key)) for step, key in steps.items() if key in of_run}
    due = min((_check_after(instance, outcomes.get(key), at) for key, instance in of_run.items()), default=at)
    note(batch, seen, due)


def _check_after(instance: TaskInstance, outcome: Outcome | None, at: float) -> float:
    """Return when to check an instance again: at once if another report came first."""
    if outcome is None:
        return next_check(instance, at)
    return at + HEARTBEAT_BUFFER_SECONDS if outcome.moved else at


def _seen(instance: TaskInstance, outcome: Outcome | None) -> TaskInstanceStatus:
    return outcome.status if outcome else TI(instance.status)


def next_check(instance: TaskInstance, at: float) -> float:
    """Return the earliest time at which an instance, as it was read at a moment, can be overdue."""
    earliest = at + HEARTBEAT_BUFFER_SECONDS
    report_by: float | None = instance.report_by
    if report_by is None:
        return earliest
    if instance.status == TI.RUNNING:
        return min(report_by, earliest)
    if instance.status == TI.LAUNCHED:
        return min(max(report_by, instance.status_date + LAUNCH_SECONDS), earliest)
    return earliest


def _settle_abandoned(instances: Iterable[InstanceKey]) -> None:
    at = now()
    abandoned = {
        key: TI(instance.status)
        for key, instance in read_instances(instances).items()
        if TI(instance.status) in NEEDS_ATTENTION and instance.status_date + ABANDONED_SECONDS < at
    }
    transit_many(_settlement(key, status) for key, status in sorted(abandoned.items()))


def _settlement(instance: InstanceKey, status: TaskInstanceStatus) -> Report:
    why = f"Nobody settled it in {ABANDONED_SECONDS:.0f} s while it was {status.name}: its distributor is gone."
    return Report(instance, ABANDONED[status], on_move=ReportedFields(error=why))
