"""One report about every instance of a batch."""

from lockstep.array.attention import Part, Seen, in_groups, in_parts, remember
from lockstep.array.read import read_batch, until_indexed
from lockstep.context import deadline
from lockstep.errors import UnavailableError
from lockstep.fsm.reports import ReportRule
from lockstep.task_instance.report import NO_FIELDS, Report, ReportedFields
from lockstep.task_instance.transition import transit_many

_ENOUGH = 0.6
"""The share of the time after which a call begins no other part of a batch."""


def move_batch(array_id: int, batch_num: int, rule: ReportRule, on_move: ReportedFields = NO_FIELDS) -> None:
    """Make one report about every instance of a batch that may be in the status which the report usually finds.

    An instance that rejects the report stays as it is. The batch remembers what was seen of each.

    Raises:
        UnavailableError: some instances may have moved; the same call again moves the rest.
    """
    batch = read_batch(array_id, batch_num)
    if batch is None:
        return
    parts = list(in_parts([batch], {rule.assumed.task_instance}, of_any_run=True))
    for group in in_groups(parts):
        if group[0] is not parts[0] and deadline().spent(_ENOUGH):
            raise UnavailableError(f"a part of array {array_id}, batch {batch_num} is left; send it again for the rest")
        remember([_move(part, rule, on_move) for part in group])


def _move(part: Part, rule: ReportRule, on_move: ReportedFields) -> Seen:
    steps = until_indexed(part.instances, f"batch {part.batch.pk}")
    outcomes = transit_many(Report(instance, rule, on_move=on_move) for instance in steps.values())
    return Seen(part, {step: outcome.status for step, outcome in zip(steps, outcomes, strict=True) if outcome})
