"""Batches of an array: their instances, and the status in which each was last seen.

A batch is in the run index until all its instances have ended, ordered by its next check: no instance of it is overdue
before that. Each check notes the statuses that it saw, so that nothing reads a whole batch to find a few instances.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from pynamodb.expressions.condition import Condition, Or
from pynamodb.expressions.update import Action

from lockstep.clock import HEARTBEAT_BUFFER_SECONDS, now
from lockstep.dynamodb import keys
from lockstep.dynamodb.client import (
    ConditionFailedError,
    Key,
    RawItem,
    fetch,
    fetch_present,
    query,
    reach,
    run_parallel,
    update,
)
from lockstep.dynamodb.items import ArrayStepIndex, Batch, RunIndex, TaskInstance
from lockstep.dynamodb.keys import BatchAttention, InstanceKey
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.fsm.transitions import has_ended, may_become

NO_STEP: Final = "."
"""In Batch.seen: the batch does not have this step."""
WAITING: Final = frozenset({TaskInstanceStatus.QUEUED, TaskInstanceStatus.INSTANTIATED})
"""Statuses in which an instance waits for the distributor."""
_SOON_SECONDS: Final = 0.96 * HEARTBEAT_BUFFER_SECONDS
"""An instance that is due sooner brings its batch's check forward. Less than the buffer, because a request takes
time.
"""


def read_batch(array_id: int, batch_num: int) -> Batch | None:
    """Read a batch as it stands now; None: it does not exist, or has expired."""
    key = _key(array_id, batch_num)
    raw = fetch([key], consistent=True).get(key)
    batch = Batch.from_raw_data(raw) if raw else None
    return None if batch is None or batch.has_expired(now()) else batch


def run_of_batch(array_id: int, batch_num: int) -> int | None:
    """The workflow run of a batch, which never changes; None: the batch does not exist, or has expired."""
    key = _key(array_id, batch_num)
    raw = fetch_present([key]).get(key)
    batch = Batch.from_raw_data(raw) if raw else None
    if batch and batch.has_expired(now()):
        batch = read_batch(array_id, batch_num)
    return batch.workflow_run_id if batch else None


def _key(array_id: int, batch_num: int) -> Key:
    return Key(keys.batch(array_id, batch_num), keys.BATCH)


def members(batch: Batch, steps: Iterable[int] | None = None) -> dict[int, InstanceKey]:
    """A batch's instances by step, as far as the index shows them: at least those of some steps, or all."""
    array_id, batch_num = keys.batch_of(batch.pk)
    wanted = range(0, batch.size, keys.STEPS_PER_PARTITION) if steps is None else steps
    firsts = {step - step % keys.STEPS_PER_PARTITION for step in wanted}
    pages = run_parallel(lambda first: _members_from(array_id, batch_num, first), firsts)
    return {
        int(raw["array_step_id"]["N"]): keys.instance_key_of(raw["pk"]["S"], raw["sk"]["S"])
        for page in pages
        for raw in page
    }


def _members_from(array_id: int, batch_num: int, first: int) -> list[RawItem]:
    partition = keys.array_step(array_id, batch_num, first)
    from_first = ArrayStepIndex.array_step_id >= first
    return list(query(partition, from_first, index=ArrayStepIndex.Meta.index_name))


class Attention(NamedTuple):
    """What must be looked at in a run."""

    batches: list[Batch]
    """Due batches, earliest first."""
    instances: list[InstanceKey]
    """The instances in a status that needs attention."""


def what_needs_attention(workflow_run_id: int, moment: float) -> Attention:
    """The batches that are due at a moment, and the instances that need attention, as the index shows them."""
    ranges = [
        (keys.FLAGGED, keys.due(keys.LAUNCHED, moment)),
        (keys.WAITING, keys.due(keys.WAITING, moment)),
    ]
    pages = run_parallel(lambda between: _indexed(workflow_run_id, *between), ranges)
    listed = [raw for page in pages for raw in page]
    flags = [raw for raw in listed if raw["attention"]["S"].startswith(keys.FLAGGED)]
    return Attention(_full_grown(_read_batches([raw for raw in listed if raw not in flags])), _instance_keys(flags))


def flagged(workflow_run_id: int, status: TaskInstanceStatus) -> list[InstanceKey]:
    """The run's instances in a status that needs attention, as the index shows them."""
    flag = keys.flag(status)
    return _instance_keys(_indexed(workflow_run_id, flag, flag))


def waiting_batches(workflow_run_id: int) -> list[Batch]:
    """The run's batches with instances that may wait for the distributor, without batches that are still growing."""
    return _full_grown(_read_batches(_indexed(workflow_run_id, keys.WAITING, keys.last(keys.WAITING))))


def unended_batches(workflow_run_id: int) -> list[Batch]:
    """The run's batches with instances that have not ended, batches that are still growing included."""
    return _read_batches(_indexed(workflow_run_id, keys.LAUNCHED, keys.last(keys.WAITING)))


def _indexed(workflow_run_id: int, first: str, last: str) -> list[RawItem]:
    between = RunIndex.attention.between(first, last)
    return list(query(str(workflow_run_id), between, index=RunIndex.Meta.index_name))


def _instance_keys(listed: Iterable[RawItem]) -> list[InstanceKey]:
    return [keys.instance_key_of(raw["pk"]["S"], raw["sk"]["S"]) for raw in listed]


def _read_batches(listed: Iterable[RawItem]) -> list[Batch]:
    """Read the listed batches, in order, without those that have ended meanwhile or expired."""
    wanted = [Key(raw["pk"]["S"], raw["sk"]["S"]) for raw in listed]
    items = fetch_present(wanted)
    batches = (Batch.from_raw_data(items[key]) for key in wanted if key in items)
    return [batch for batch in batches if batch.attention and not batch.has_expired(now())]


def _full_grown(batches: Iterable[Batch]) -> list[Batch]:
    at = now()
    return [batch for batch in batches if (batch.grows_until or at) <= at]


def may_be_in(batch: Batch, statuses: Iterable[TaskInstanceStatus]) -> dict[int, InstanceKey] | None:
    """The instances, by step, that may be in one of the statuses now, by the status in which each was last seen.

    None where the index does not show all of them yet: a distributor counts a batch's steps, so it must see a batch as
    a whole or not at all.
    """
    wanted = frozenset(statuses)
    steps = {step for step, letter in enumerate(batch.seen) if letter != NO_STEP and _may_be_in(letter, wanted)}
    found = members(batch, steps)
    return {step: found[step] for step in steps} if steps <= found.keys() else None


def _may_be_in(letter: str, wanted: frozenset[TaskInstanceStatus]) -> bool:
    return any(may_become(TaskInstanceStatus(letter), status) for status in wanted)


def note(batch: Batch, seen: Mapping[int, TaskInstanceStatus], due: float) -> None:
    """Store in which status steps were seen, and when the batch is due for its next check.

    Nothing is stored where another caller has written to the batch since it was read.
    """
    letters = [seen.get(step, letter) for step, letter in enumerate(batch.seen)]
    present = {TaskInstanceStatus(letter) for letter in letters if letter != NO_STEP}
    attention = BatchAttention(0.0 if keys.is_part(batch.sk) else due, waiting=not present.isdisjoint(WAITING))
    changes: list[Action] = [
        Batch.seen.set("".join(letters)),
        Batch.attention.remove() if all(map(has_ended, present)) else Batch.attention.set(str(attention)),
        *Batch.renewed(now()),
    ]
    unchanged = (Batch.attention == batch.attention) & (Batch.size == batch.size)
    try:
        reach(lambda: batch.update(changes, unchanged))
    except ConditionFailedError:
        return


def expect(instance: TaskInstance, report_by: float | None) -> None:
    """Bring the batch's next check forward to report_by, if the instance is due earlier than checks come anyway.

    Usually it is not, and nothing is sent. A batch whose check is overdue is brought forward too: a sweep that checks
    it now has not seen the instance as it is, and must not put the next check off.
    """
    at = now()
    if report_by is None or report_by >= at + _SOON_SECONDS:
        return
    key = _key(instance.array_id, instance.array_batch_num)
    later, overdue = (report_by, _due_between(report_by, None)), (at, _due_between(0.0, at))
    stored = _move_check(key, *later)
    while stored and not at < stored.due < report_by:
        stored = _move_check(key, *(overdue if stored.due <= at else later))


def _due_between(since: float, until: float | None) -> Condition:
    launched, waiting = (
        Batch.attention.between(
            keys.due(prefix, since), keys.last(prefix) if until is None else keys.due(prefix, until)
        )
        for prefix in (keys.LAUNCHED, keys.WAITING)
    )
    return Or(launched, waiting)


def _move_check(key: Key, due: float, where: Condition) -> BatchAttention | None:
    """Set a batch's next check where a condition holds. Otherwise return the one that stands, None if there is none."""
    changes: list[Action] = [Batch.attention.set(str(BatchAttention(due, waiting=True))), *Batch.renewed(now())]
    try:
        update(key, changes, where)
    except ConditionFailedError as failed:
        [found] = failed.found
        return BatchAttention.parse(found["attention"]["S"]) if found and "attention" in found else None
    return None
