"""One report about every instance of a batch."""

from lockstep.array.step import INDEX_LAG_SECONDS, PAUSE_SECONDS
from lockstep.array.store import members, read_batch
from lockstep.clock import Deadline, sleep
from lockstep.errors import UnavailableError
from lockstep.fsm.reports import ReportRule
from lockstep.task_instance.item import InstanceKey
from lockstep.task_instance.report import NO_FIELDS, Report, ReportedFields
from lockstep.task_instance.transition import transit_many


def move_batch(array_id: int, batch_num: int, rule: ReportRule, on_move: ReportedFields = NO_FIELDS) -> None:
    """Make one report about every instance of a batch. An instance that rejects the report stays as it is.

    Raises:
        UnavailableError: some instances may have moved; the same call again moves the rest.
    """
    transit_many(Report(instance, rule, on_move=on_move) for instance in _members(array_id, batch_num))


def _members(array_id: int, batch_num: int) -> list[InstanceKey]:
    """Return all instances of a batch, none if the batch does not exist."""
    lag = Deadline(INDEX_LAG_SECONDS)
    batch = read_batch(array_id, batch_num)
    if not batch:
        return []
    while True:
        found = members(batch)
        if len(found) >= batch.num_instances:
            return list(found.values())
        if lag.passed():
            raise UnavailableError(f"array {array_id}, batch {batch_num} is not indexed as a whole yet")
        sleep(PAUSE_SECONDS)
