"""The sweep: find the instances that stopped reporting, and move them. A run's client requests it every 30 s."""

from collections.abc import Iterable, Sequence
from typing import Final

from lockstep.array.attention import Attention, Part, Seen, in_groups, in_parts, remember, what_needs_attention
from lockstep.array.item import Batch, BatchAttention
from lockstep.clock import HEARTBEAT_BUFFER_SECONDS, now
from lockstep.context import deadline
from lockstep.dynamodb.client import chunks, rotated, run_parallel
from lockstep.dynamodb.item import Key
from lockstep.fsm.reports import ABANDONED, FELL_SILENT, NEVER_REPORTED
from lockstep.fsm.statuses import NEEDS_ATTENTION, TaskInstanceStatus
from lockstep.fsm.transitions import UNENDED
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.task_instance.read import read_instances, read_instances_of_run
from lockstep.task_instance.report import Report, ReportedFields
from lockstep.task_instance.transition import Outcome, transit_many
from lockstep.workflow_run.earlier import earlier_runs

TI = TaskInstanceStatus

LAUNCH_SECONDS: Final = 2 * HEARTBEAT_BUFFER_SECONDS
"""How long an instance may stay in LAUNCHED without a report: it may wait in the cluster's queue."""
ABANDONED_SECONDS: Final = HEARTBEAT_BUFFER_SECONDS
"""The time that a distributor has to settle an instance that needs attention."""
HIDDEN_SECONDS: Final = 3_600.0
"""How long a batch may be due and not be shown as a whole by the index. After that, an instance of it is gone."""

_SETTLED_AT_ONCE: Final = 1_000
_ENOUGH_SETTLED: Final = 0.3
"""The share of the time after which a sweep settles no more instances, and turns to the batches."""
_ENOUGH: Final = 0.6
"""The share of the time after which a sweep begins no other group of parts. They are due first in the next one."""
_OVERDUE: Final = {TI.RUNNING: FELL_SILENT, TI.LAUNCHED: NEVER_REPORTED}


def sweep(workflow_run_id: int) -> None:
    """Move overdue instances: RUNNING to TRIAGING, LAUNCHED to NO_HEARTBEAT. Settle those that no distributor settles.

    The sweep of a run that was linked after a resume does the same for what earlier runs left, until that has ended.

    Only the batches in which an instance may be overdue by now are read. A sweep does as much as its time allows; the
    next one begins at the rest.

    Raises:
        UnavailableError: some instances may have moved; the same call again does the rest.
    """
    attention = what_needs_attention(workflow_run_id, now())
    _sweep_run(workflow_run_id, attention)
    if attention.earlier_runs and not deadline().spent(_ENOUGH):
        _sweep_earlier_runs(workflow_run_id)


def _sweep_earlier_runs(workflow_run_id: int) -> None:
    """Sweep what earlier runs left, of which a hot resume lets some go on: their clients are gone."""
    for earlier in earlier_runs(workflow_run_id):
        if deadline().spent(_ENOUGH):
            return
        _sweep_run(earlier, what_needs_attention(earlier, now()))


def _sweep_run(workflow_run_id: int, attention: Attention) -> None:
    _settle_abandoned(attention.instances)
    due: dict[Key, float] = {}
    for group in in_groups(in_parts(attention.batches, UNENDED, first=_OVERDUE)):
        _sweep_group(group, workflow_run_id, due)
        if deadline().spent(_ENOUGH):
            return


def _sweep_group(group: Sequence[Part], workflow_run_id: int, due: dict[Key, float]) -> None:
    """Sweep parts, and note what was seen of them. A batch gets its next time after its last part.

    Until then it is due at once, behind what was due before. So is one that lacks an instance. A batch that is larger
    than a sweep, or lacks an instance for good, would be in front of the others at each sweep.

    due: the next time of each batch by the parts that were swept so far.
    """
    seen: list[Seen] = []
    for part, looked in zip(group, run_parallel(lambda part: _sweep_part(part, workflow_run_id), group), strict=True):
        if looked is None and not _lacks_an_instance(part.batch):
            due[part.key] = 0.0
            continue
        statuses, part_due = looked or ({}, now())
        seen.append(Seen(part, statuses))
        due[part.key] = min(due.get(part.key, part_due), part_due)
    remember(seen, {part.key: due[part.key] if part.last else now() for part in group})


def _lacks_an_instance(hidden: Batch) -> bool:
    """Whether a batch that the index does not show as a whole has been due for longer than an index may lag."""
    return hidden.attention is not None and BatchAttention.parse(hidden.attention).due < now() - HIDDEN_SECONDS


def _sweep_part(part: Part, workflow_run_id: int) -> tuple[dict[int, TaskInstanceStatus], float] | None:
    """Return the statuses by step, and when the part is due again; None if the index does not show the whole part."""
    steps = part.instances()
    if steps is None:
        return None
    of_run = read_instances_of_run(workflow_run_id, steps.values())
    at = now()
    overdue = [
        key for key, instance in of_run.items() if TI(instance.status) in _OVERDUE and next_check(instance, at) < at
    ]
    reports = [Report(key, _OVERDUE[TI(of_run[key].status)]) for key in overdue]
    outcomes = dict(zip(overdue, transit_many(reports), strict=True))
    seen = {step: _seen(of_run[key], outcomes.get(key)) for step, key in steps.items() if key in of_run}
    due = min((_check_after(instance, outcomes.get(key), at) for key, instance in of_run.items()), default=at)
    return seen, due


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
    for some in chunks(rotated(instances), _SETTLED_AT_ONCE):
        at = now()
        abandoned = {
            key: TI(instance.status)
            for key, instance in read_instances(some).items()
            if TI(instance.status) in NEEDS_ATTENTION and instance.status_date + ABANDONED_SECONDS < at
        }
        transit_many(_settlement(key, status) for key, status in sorted(abandoned.items()))
        if deadline().spent(_ENOUGH_SETTLED):
            return


def _settlement(instance: InstanceKey, status: TaskInstanceStatus) -> Report:
    why = f"Nobody settled it in {ABANDONED_SECONDS:.0f} s while it was {status.name}: its distributor is gone."
    return Report(instance, ABANDONED[status], on_move=ReportedFields(error=why))
