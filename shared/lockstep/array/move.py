"""One report about every instance of a batch."""

from collections.abc import Mapping

from lockstep.array.last_seen import Seen, remember
from lockstep.array.portions import Portion, in_groups, in_portions
from lockstep.array.read import read_batch, until_indexed
from lockstep.context import deadline
from lockstep.errors import UnavailableError
from lockstep.fsm.reports import ReportRule
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.fsm.transitions import may_become
from lockstep.task_instance.item import InstanceKey
from lockstep.task_instance.read import read_instances
from lockstep.task_instance.report import NO_FIELDS, Report, ReportedFields
from lockstep.task_instance.transition import transit_many

_ENOUGH = 0.6
"""The share of the time after which a call begins no other portion of a batch."""


def move_batch(array_id: int, batch_num: int, rule: ReportRule, on_move: ReportedFields = NO_FIELDS) -> None:
    """Make one report about every instance of a batch that may be in the status which the report usually finds.

    An instance that rejects the report stays as it is. The batch remembers what was seen of each.

    Raises:
        UnavailableError: some instances may have moved; the same call again moves the rest.
    """
    batch = read_batch(array_id, batch_num)
    if batch is None:
        return
    portions = list(in_portions([batch], {rule.assumed.task_instance}, of_any_run=True))
    for group in in_groups(portions):
        if group[0] is not portions[0] and deadline().spent(_ENOUGH):
            raise UnavailableError(f"a part of array {array_id}, batch {batch_num} is left; send it again for the rest")
        remember([_move(portion, rule, on_move, sifted=len(portions) > 1) for portion in group])


def _move(portion: Portion, rule: ReportRule, on_move: ReportedFields, *, sifted: bool) -> Seen:
    """Report about the instances of a portion, and return their statuses.

    sifted: leave out those that have moved, by a read. A batch knows no status of steps that are another run's, so they
    are looked at by each call.
    """
    steps = until_indexed(portion.instances, f"batch {portion.batch.pk}")
    statuses = _read_moved(steps, rule) if sifted else {}
    left = {step: instance for step, instance in steps.items() if step not in statuses}
    outcomes = transit_many(Report(instance, rule, on_move=on_move) for instance in left.values())
    became = {step: outcome.status for step, outcome in zip(left, outcomes, strict=True) if outcome}
    return Seen(portion, statuses | became)


def _read_moved(steps: Mapping[int, InstanceKey], rule: ReportRule) -> dict[int, TaskInstanceStatus]:
    """The statuses by step of the instances that will never be again in the status which a report usually finds."""
    found = read_instances(steps.values(), consistent=True)
    statuses = {step: TaskInstanceStatus(found[key].status) for step, key in steps.items() if key in found}
    return {step: seen for step, seen in statuses.items() if not may_become(seen, rule.assumed.task_instance)}
