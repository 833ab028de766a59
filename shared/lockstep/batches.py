"""Batches of an array: their instances, and what was last seen of them, so that nobody reads them all to find a few.

A batch stands in the run index until all its instances have ended, in the order in which batches must be looked at:
no instance of it is overdue before that. Whoever looks at a batch notes what he saw.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from pynamodb.expressions.condition import Condition, Or
from pynamodb.expressions.update import Action

from lockstep import keys
from lockstep.clock import HEARTBEAT_BUFFER_SECONDS, Deadline, now
from lockstep.items import ArrayStepIndex, Batch, RunIndex, TaskInstance
from lockstep.keys import BatchAttention
from lockstep.statuses import TaskInstanceStatus
from lockstep.table import ConditionFailedError, Key, RawItem, fetch, fetch_present, query, reach, side_by_side, update
from lockstep.transitions import has_ended, may_become

NO_STEP: Final = "."
"""In Batch.seen: the batch has no such step."""
WAITING: Final = frozenset({TaskInstanceStatus.QUEUED, TaskInstanceStatus.INSTANTIATED})
"""Statuses in which the distributor has yet to do something."""
_SOON_SECONDS: Final = 0.96 * HEARTBEAT_BUFFER_SECONDS
"""An instance that is due sooner has its batch told. Not quite the whole: a request takes a while."""


def read_batch(array_id: int, batch_num: int, deadline: Deadline) -> Batch | None:
    """A batch as it stands now; None once it has expired."""
    key = _key(array_id, batch_num)
    raw = fetch([key], deadline, consistent=True).get(key)
    batch = Batch.from_raw_data(raw) if raw else None
    return None if batch is None or batch.has_expired(now()) else batch


def run_of_batch(array_id: int, batch_num: int, deadline: Deadline) -> int | None:
    """The workflow run that a batch is of, which never changes; None: there is no such batch, or it has expired."""
    key = _key(array_id, batch_num)
    raw = fetch_present([key], deadline).get(key)
    batch = Batch.from_raw_data(raw) if raw else None
    if batch and batch.has_expired(now()):
        batch = read_batch(array_id, batch_num, deadline)
    return batch.workflow_run_id if batch else None


def _key(array_id: int, batch_num: int) -> Key:
    return Key(keys.batch(array_id, batch_num), keys.BATCH)


def members(batch: Batch, deadline: Deadline, steps: Iterable[int] | None = None) -> dict[int, int]:
    """The ids of a batch's instances by step, as many as the index shows; at least those of some steps, or all."""
    array_id, batch_num = keys.batch_of(batch.pk)
    wanted = range(0, batch.size, keys.STEPS_PER_PARTITION) if steps is None else steps
    firsts = {step - step % keys.STEPS_PER_PARTITION for step in wanted}
    pages = side_by_side(lambda first: _members_from(array_id, batch_num, first, deadline), firsts)
    return {
        int(raw["array_step_id"]["N"]): keys.task_instance_id_of(raw["pk"]["S"], raw["sk"]["S"])
        for page in pages
        for raw in page
    }


def _members_from(array_id: int, batch_num: int, first: int, deadline: Deadline) -> list[RawItem]:
    partition = keys.array_step(array_id, batch_num, first)
    from_first = ArrayStepIndex.array_step_id >= first
    return list(query(partition, from_first, deadline, index=ArrayStepIndex.Meta.index_name))


class Attention(NamedTuple):
    """What must be looked at in a run."""

    batches: list[Batch]
    """Those that are due, the one to look at first first."""
    instances: list[int]
    """Those in a status that needs attention."""


def what_needs_attention(workflow_run_id: int, moment: float, deadline: Deadline) -> Attention:
    """The batches that are due at a moment, and the instances that need attention, as the index shows them."""
    ranges = [
        (keys.FLAGGED, keys.due(keys.LAUNCHED, moment)),
        (keys.WAITING, keys.due(keys.WAITING, moment)),
    ]
    pages = side_by_side(lambda between: _indexed(workflow_run_id, *between, deadline), ranges)
    listed = [raw for page in pages for raw in page]
    flags = [raw for raw in listed if raw["attention"]["S"].startswith(keys.FLAGGED)]
    return Attention(
        _full_grown(_read_batches([raw for raw in listed if raw not in flags], deadline)), _instance_ids(flags)
    )


def flagged(workflow_run_id: int, status: TaskInstanceStatus, deadline: Deadline) -> list[int]:
    """The ids of the run's instances in a status that needs attention, as the index shows them."""
    flag = keys.flag(status)
    return _instance_ids(_indexed(workflow_run_id, flag, flag, deadline))


def waiting_batches(workflow_run_id: int, deadline: Deadline) -> list[Batch]:
    """The run's batches that may hold instances which wait for the distributor; none that is still being queued."""
    return _full_grown(
        _read_batches(_indexed(workflow_run_id, keys.WAITING, keys.last(keys.WAITING), deadline), deadline)
    )


def unended_batches(workflow_run_id: int, deadline: Deadline) -> list[Batch]:
    """The run's batches that hold instances which have not ended; those too that are still being queued."""
    return _read_batches(_indexed(workflow_run_id, keys.LAUNCHED, keys.last(keys.WAITING), deadline), deadline)


def _indexed(workflow_run_id: int, first: str, last: str, deadline: Deadline) -> list[RawItem]:
    between = RunIndex.attention.between(first, last)
    return list(query(str(workflow_run_id), between, deadline, index=RunIndex.Meta.index_name))


def _instance_ids(listed: Iterable[RawItem]) -> list[int]:
    return [keys.task_instance_id_of(raw["pk"]["S"], raw["sk"]["S"]) for raw in listed]


def _read_batches(listed: Iterable[RawItem], deadline: Deadline) -> list[Batch]:
    """In order; without those that have ended meanwhile, or expired."""
    wanted = [Key(raw["pk"]["S"], raw["sk"]["S"]) for raw in listed]
    items = fetch_present(wanted, deadline)
    batches = (Batch.from_raw_data(items[key]) for key in wanted if key in items)
    return [batch for batch in batches if batch.attention and not batch.has_expired(now())]


def _full_grown(batches: Iterable[Batch]) -> list[Batch]:
    at = now()
    return [batch for batch in batches if (batch.grows_until or at) <= at]


def may_be_in(batch: Batch, statuses: Iterable[TaskInstanceStatus], deadline: Deadline) -> dict[int, int] | None:
    """The ids, by step, of those instances that by what was last seen of them may be in one of the statuses now.

    None where the index does not show all of them yet: a batch is known as a whole or not at all, because the
    distributor counts its steps.
    """
    wanted = frozenset(statuses)
    steps = {step for step, letter in enumerate(batch.seen) if letter != NO_STEP and _may_be_in(letter, wanted)}
    found = members(batch, deadline, steps)
    return {step: found[step] for step in steps} if steps <= found.keys() else None


def _may_be_in(letter: str, wanted: frozenset[TaskInstanceStatus]) -> bool:
    return any(may_become(TaskInstanceStatus(letter), status) for status in wanted)


def note(batch: Batch, seen: Mapping[int, TaskInstanceStatus], due: float, deadline: Deadline) -> None:
    """Write down in which status steps were seen, and when the batch must be looked at next.

    Nothing is written where somebody else has noted something, or expects an instance earlier, since batch was read.
    """
    letters = [seen.get(step, letter) for step, letter in enumerate(batch.seen)]
    there = {TaskInstanceStatus(letter) for letter in letters if letter != NO_STEP}
    attention = BatchAttention(0.0 if keys.is_part(batch.sk) else due, waiting=not there.isdisjoint(WAITING))
    changes: list[Action] = [
        Batch.seen.set("".join(letters)),
        Batch.attention.remove() if all(map(has_ended, there)) else Batch.attention.set(str(attention)),
        *Batch.renewed(now()),
    ]
    unchanged = (Batch.attention == batch.attention) & (Batch.size == batch.size)
    try:
        reach(lambda: batch.update(changes, unchanged), deadline)
    except ConditionFailedError:
        return


def expect(instance: TaskInstance, report_by: float | None, deadline: Deadline) -> None:
    """Have the instance's batch looked at by then, if that is earlier than batches are looked at anyway.

    Usually it is not, and nothing is sent. A batch that is overdue is brought forward too: who looks at it now has
    not seen the instance as it is, and must not put the next look off.
    """
    at = now()
    if report_by is None or report_by >= at + _SOON_SECONDS:
        return
    key = _key(instance.array_id, instance.array_batch_num)
    later, overdue = (report_by, _due_between(report_by, None)), (at, _due_between(0.0, at))
    stands = _move_look(key, *later, deadline)
    while stands and not at < stands.due < report_by:
        stands = _move_look(key, *(overdue if stands.due <= at else later), deadline)


def _due_between(since: float, until: float | None) -> Condition:
    launched, waiting = (
        Batch.attention.between(
            keys.due(prefix, since), keys.last(prefix) if until is None else keys.due(prefix, until)
        )
        for prefix in (keys.LAUNCHED, keys.WAITING)
    )
    return Or(launched, waiting)


def _move_look(key: Key, due: float, where: Condition, deadline: Deadline) -> BatchAttention | None:
    """Have a batch looked at then, where a condition holds of it. If not, when it is looked at instead; None: never."""
    changes: list[Action] = [Batch.attention.set(str(BatchAttention(due, waiting=True))), *Batch.renewed(now())]
    try:
        update(key, changes, where, deadline)
    except ConditionFailedError as failed:
        [found] = failed.found
        return BatchAttention.parse(found["attention"]["S"]) if found and "attention" in found else None
    return None
