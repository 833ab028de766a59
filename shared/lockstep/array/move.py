"""One report about every instance of a batch."""

from lockstep.array.last_seen import Seen, remember
from lockstep.array.portions import Portion, in_groups, in_portions
from lockstep.array.read import read_batch, until_indexed
from lockstep.context import deadline
from lockstep.errors import UnavailableError
from lockstep.fsm.reports import ReportRule
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
        remember([_move(portion, rule, on_move) for portion in group])


def _move(portion: Portion, rule: ReportRule, on_move: ReportedFields) -> Seen:
    steps = until_indexed(portion.instances, f"batch {portion.batch.pk}")
    outcomes = transit_many(Report(instance, rule, on_move=on_move) for instance in steps.values())
    return Seen(portion, {step: outcome.status for step, outcome in zip(steps, outcomes, strict=True) if outcome})
