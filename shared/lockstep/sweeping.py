"""Finding what fell silent, and settling what nobody settles: the sweep that a run's client asks for every 30 s."""

from collections.abc import Iterable
from typing import Final

from lockstep.advance import Outcome, Request, transit_many
from lockstep.batches import may_be_in, note, what_needs_attention
from lockstep.clock import BULK_BUDGET_SECONDS, HEARTBEAT_BUFFER_SECONDS, Deadline, now
from lockstep.items import Batch, TaskInstance
from lockstep.statuses import NEEDS_ATTENTION, TaskInstanceStatus
from lockstep.store import Said, read_by_id
from lockstep.table import side_by_side
from lockstep.transitions import ABANDONED, FELL_SILENT, NEVER_REPORTED, has_ended

TI = TaskInstanceStatus

LAUNCH_SECONDS: Final = 2 * HEARTBEAT_BUFFER_SECONDS
"""How long an instance may be LAUNCHED, however silent: a cluster may let it wait."""
ABANDONED_SECONDS: Final = HEARTBEAT_BUFFER_SECONDS
"""How long a distributor is given to settle an instance that needs attention."""

_UNENDED: Final = frozenset(status for status in TI if not has_ended(status))
_OVERDUE: Final = {TI.RUNNING: FELL_SILENT, TI.LAUNCHED: NEVER_REPORTED}


def sweep(workflow_run_id: int) -> None:
    """Move what is overdue: RUNNING to TRIAGING, LAUNCHED to NO_HEARTBEAT; and settle what needs attention in vain.

    Only those batches are read in which something can be overdue by now.

    Raises:
        UnavailableError: some may have moved; the same call again does the rest.
    """
    deadline = Deadline(BULK_BUDGET_SECONDS)
    attention = what_needs_attention(workflow_run_id, now(), deadline)
    _settle_abandoned(attention.instances, deadline)
    side_by_side(lambda batch: _sweep_batch(batch, workflow_run_id, deadline), attention.batches)


def _sweep_batch(batch: Batch, workflow_run_id: int, deadline: Deadline) -> None:
    steps = may_be_in(batch, _UNENDED, deadline)
    if steps is None:
        return
    found = read_by_id(steps.values(), deadline)
    ours = {number: instance for number, instance in found.items() if instance.workflow_run_id == workflow_run_id}
    at = now()
    overdue = [
        number for number, instance in ours.items() if TI(instance.status) in _OVERDUE and look_again(instance, at) < at
    ]
    requests = [Request(number, _OVERDUE[TI(ours[number].status)]) for number in overdue]
    outcomes = dict(zip(overdue, transit_many(requests, deadline), strict=True))
    seen = {step: _seen(ours[number], outcomes.get(number)) for step, number in steps.items() if number in ours}
    due = min((_again(instance, outcomes.get(number), at) for number, instance in ours.items()), default=at)
    note(batch, seen, due, deadline)


def _again(instance: TaskInstance, outcome: Outcome | None, at: float) -> float:
    """When to look at an instance again; at once, where another report won."""
    if outcome is None:
        return look_again(instance, at)
    return at + HEARTBEAT_BUFFER_SECONDS if outcome.moved else at


def _seen(instance: TaskInstance, outcome: Outcome | None) -> TaskInstanceStatus:
    return outcome.status if outcome else TI(instance.status)


def look_again(instance: TaskInstance, at: float) -> float:
    """When an instance that was seen at a moment may be overdue, at the earliest."""
    earliest = at + HEARTBEAT_BUFFER_SECONDS
    report_by: float | None = instance.report_by
    if report_by is None:
        return earliest
    if instance.status == TI.RUNNING:
        return min(report_by, earliest)
    if instance.status == TI.LAUNCHED:
        return min(max(report_by, instance.status_date + LAUNCH_SECONDS), earliest)
    return earliest


def _settle_abandoned(task_instance_ids: Iterable[int], deadline: Deadline) -> None:
    at = now()
    instances = read_by_id(task_instance_ids, deadline)
    abandoned = {
        number: TI(instance.status)
        for number, instance in instances.items()
        if TI(instance.status) in NEEDS_ATTENTION and instance.status_date + ABANDONED_SECONDS < at
    }
    transit_many(_settlements(sorted(abandoned.items())), deadline)


def _settlements(abandoned: Iterable[tuple[int, TaskInstanceStatus]]) -> Iterable[Request]:
    for number, status in abandoned:
        why = f"Nobody settled it in {ABANDONED_SECONDS:.0f} s while it was {status.name}: its distributor is gone."
        yield Request(number, ABANDONED[status], on_move=Said(error=why))
