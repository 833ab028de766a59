"""The sweep: find the instances that stopped reporting, and move them. A run's client requests it every 30 s."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from lockstep.array.last_seen import Seen, remember
from lockstep.array.portions import Portion, in_groups, in_portions
from lockstep.array.run_index import Due, read_due
from lockstep.clock import HEARTBEAT_BUFFER_SECONDS, now
from lockstep.context import deadline
from lockstep.dynamodb.item import Key
from lockstep.dynamodb.parallel import chunks, rotated, run_parallel
from lockstep.fsm.reports import FELL_SILENT, NEVER_REPORTED
from lockstep.fsm.statuses import NEEDS_ATTENTION, TaskInstanceStatus
from lockstep.fsm.transitions import UNENDED
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.task_instance.read import read_instances, read_instances_of_run
from lockstep.task_instance.report import Report, abandoned
from lockstep.task_instance.transition import Outcome, transit_many
from lockstep.workflow_run.earlier import earlier_runs

TI = TaskInstanceStatus

LAUNCH_SECONDS: Final = 2 * HEARTBEAT_BUFFER_SECONDS
"""How long an instance may stay in LAUNCHED without a report: it may wait in the cluster's queue."""
ABANDONED_SECONDS: Final = HEARTBEAT_BUFFER_SECONDS
"""The time that a distributor has to settle an instance that needs attention."""

_SETTLED_AT_ONCE: Final = 1_000
_ENOUGH_SETTLED: Final = 0.3
"""The share of the time after which a sweep settles no more instances, and turns to the batches."""
_ENOUGH: Final = 0.6
"""The share of the time after which a sweep begins no other group of portions. They are due first in the next one."""
_OVERDUE: Final = {TI.RUNNING: FELL_SILENT, TI.LAUNCHED: NEVER_REPORTED}


def sweep(workflow_run_id: int) -> None:
    """Move overdue instances: RUNNING to TRIAGING, LAUNCHED to NO_HEARTBEAT. Settle those that no distributor settles.

    The sweep of a run that was linked after a resume does the same for what earlier runs left, until that has ended.

    Only the batches in which an instance may be overdue by now are read. A sweep does as much as its time allows; the
    next one begins at the rest.

    Raises:
        UnavailableError: some instances may have moved; the same call again does the rest.
    """
    due = read_due(workflow_run_id, now())
    _sweep_run(workflow_run_id, due)
    if due.earlier_runs and not deadline().spent(_ENOUGH):
        _sweep_earlier_runs(workflow_run_id)


def _sweep_earlier_runs(workflow_run_id: int) -> None:
    """Sweep what earlier runs left, of which a hot resume lets some go on: their clients are gone."""
    for earlier in earlier_runs(workflow_run_id):
        if deadline().spent(_ENOUGH):
            return
        _sweep_run(earlier, read_due(earlier, now()))


def _sweep_run(workflow_run_id: int, due: Due) -> None:
    _settle_abandoned(due.instances)
    next_checks: dict[Key, float] = {}
    for group in in_groups(in_portions(due.batches, UNENDED, first=_OVERDUE)):
        _sweep_group(group, workflow_run_id, next_checks)
        if deadline().spent(_ENOUGH):
            return


def _sweep_group(group: Sequence[Portion], workflow_run_id: int, next_checks: dict[Key, float]) -> None:
    """Sweep portions, and note what was seen of them. A batch gets its next time after its last portion.

    Until then it is due at once, behind what was due before; otherwise a batch that is larger than a sweep would be in
    front at each sweep. A batch that the index does not show as a whole keeps its time.

    next_checks: the next time of each batch by the portions that were swept so far.
    """
    seen: list[Seen] = []
    swept = run_parallel(lambda portion: _sweep_portion(portion, workflow_run_id), group)
    for portion, looked in zip(group, swept, strict=True):
        again = portion.due if looked is None else looked.again
        next_checks[portion.key] = min(next_checks.get(portion.key, again), again)
        if looked is not None:
            seen.append(Seen(portion, looked.statuses))
    remember(seen, {portion.key: next_checks[portion.key] if portion.last else now() for portion in group})


class _Swept(NamedTuple):
    statuses: dict[int, TaskInstanceStatus]
    """By step."""
    again: float
    """When the portion is due again."""


def _sweep_portion(portion: Portion, workflow_run_id: int) -> _Swept | None:
    """Sweep a portion. None if the index does not show all of it."""
    steps = portion.instances()
    if steps is None:
        return None
    of_run = read_instances_of_run(workflow_run_id, steps.values())
    at = now()
    overdue = [
        key
        for key, instance in of_run.items()
        if TI(instance.status) in _OVERDUE and earliest_overdue(instance, at) < at
    ]
    reports = [Report(key, _OVERDUE[TI(of_run[key].status)]) for key in overdue]
    outcomes = dict(zip(overdue, transit_many(reports), strict=True))
    seen = {step: _seen(of_run[key], outcomes.get(key)) for step, key in steps.items() if key in of_run}
    again = min((_check_after(instance, outcomes.get(key), at) for key, instance in of_run.items()), default=at)
    return _Swept(seen, again)


def _check_after(instance: TaskInstance, outcome: Outcome | None, at: float) -> float:
    """Return when to check an instance again: at once if another report came first."""
    if outcome is None:
        return earliest_overdue(instance, at)
    return at + HEARTBEAT_BUFFER_SECONDS if outcome.moved else at


def _seen(instance: TaskInstance, outcome: Outcome | None) -> TaskInstanceStatus:
    return outcome.status if outcome else TI(instance.status)


def earliest_overdue(instance: TaskInstance, at: float) -> float:
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
    for some in chunks(rotated(instances), _SETTLED_AT_ONCE):
        at = now()
        found = {
            key: TI(instance.status)
            for key, instance in read_instances(some).items()
            if TI(instance.status) in NEEDS_ATTENTION and instance.status_date + ABANDONED_SECONDS < at
        }
        transit_many(abandoned(key, status, _why_abandoned(status)) for key, status in sorted(found.items()))
        if deadline().spent(_ENOUGH_SETTLED):
            return


def _why_abandoned(status: TaskInstanceStatus) -> str:
    return f"Nobody settled it in {ABANDONED_SECONDS:.0f} s while it was {status.name}: its distributor is gone."
