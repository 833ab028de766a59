"""The run index: a workflow run's unended batches, and its instances in a status that needs attention.

A batch stays in the index until all its instances have ended. Its sort key is the time of its next check; none of its
instances is overdue before that. Each check stores the statuses that it saw, so that later checks read only the
instances that may have changed.

An entry moves when its sort key changes. AWS does not document that a query sees a moving entry exactly once: one that
is seen twice counts once here, and one that is missed is found by the next poll, sweep or termination.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from pynamodb.expressions.condition import Condition, Or
from pynamodb.expressions.update import Action

from lockstep.array.item import LAUNCHED_PREFIX, NO_STEP, WAITING_PREFIX, Batch, BatchAttention, due_key, last_key
from lockstep.array.store import members
from lockstep.clock import HEARTBEAT_BUFFER_SECONDS, now
from lockstep.dynamodb.client import ConditionFailedError, fetch_present, query, reach, run_parallel, update
from lockstep.dynamodb.item import Key, RawItem, RunIndex
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.fsm.transitions import has_ended, may_become
from lockstep.task_instance.item import (
    FLAG_PREFIX,
    InstanceKey,
    TaskInstance,
    attention_flag,
    instance_key_of,
)

WAITING: Final = frozenset({TaskInstanceStatus.QUEUED, TaskInstanceStatus.INSTANTIATED})
"""The statuses in which an instance waits for the distributor."""
_SOON_SECONDS: Final = 0.96 * HEARTBEAT_BUFFER_SECONDS
"""An instance whose next report is due within this time brings its batch's check forward. It is shorter than the buffer
because a request takes time.
"""


class Attention(NamedTuple):
    """The batches and instances of a run that must be checked."""

    batches: list[Batch]
    """Due batches, earliest first."""
    instances: list[InstanceKey]
    """The instances in a status that needs attention."""


def what_needs_attention(workflow_run_id: int, moment: float) -> Attention:
    """Query the index for the batches that are due at a moment and the instances that need attention."""
    ranges = [
        (FLAG_PREFIX, due_key(LAUNCHED_PREFIX, moment)),
        (WAITING_PREFIX, due_key(WAITING_PREFIX, moment)),
    ]
    pages = run_parallel(lambda between: _indexed(workflow_run_id, *between), ranges)
    listed = [raw for page in pages for raw in page]
    flags = [raw for raw in listed if raw["attention"]["S"].startswith(FLAG_PREFIX)]
    return Attention(_full_grown(_read_batches([raw for raw in listed if raw not in flags])), _instance_keys(flags))


def flagged(workflow_run_id: int, status: TaskInstanceStatus) -> list[InstanceKey]:
    """Query the index for the run's instances in a status that needs attention."""
    flag = attention_flag(status)
    return _instance_keys(_indexed(workflow_run_id, flag, flag))


def waiting_batches(workflow_run_id: int) -> list[Batch]:
    """Read the run's batches with instances that may wait for the distributor, except batches that still grow."""
    return _full_grown(_read_batches(_indexed(workflow_run_id, WAITING_PREFIX, last_key(WAITING_PREFIX))))


def unended_batches(workflow_run_id: int) -> list[Batch]:
    """Read the run's batches with instances that have not ended, including batches that still grow."""
    return _read_batches(_indexed(workflow_run_id, LAUNCHED_PREFIX, last_key(WAITING_PREFIX)))


def _indexed(workflow_run_id: int, first: str, last: str) -> list[RawItem]:
    between = RunIndex.attention.between(first, last)
    return list(query(str(workflow_run_id), between, index=RunIndex.Meta.index_name))


def _instance_keys(listed: Iterable[RawItem]) -> list[InstanceKey]:
    return list(dict.fromkeys(instance_key_of(raw["pk"]["S"], raw["sk"]["S"]) for raw in listed))


def _read_batches(listed: Iterable[RawItem]) -> list[Batch]:
    """Read the listed batches in order, each once. Skip batches that have ended meanwhile or expired."""
    wanted = dict.fromkeys(Key(raw["pk"]["S"], raw["sk"]["S"]) for raw in listed)
    items = fetch_present(wanted)
    batches = (Batch.from_raw_data(items[key]) for key in wanted if key in items)
    return [batch for batch in batches if batch.attention and not batch.has_expired(now())]


def _full_grown(batches: Iterable[Batch]) -> list[Batch]:
    at = now()
    return [batch for batch in batches if (batch.grows_until or at) <= at]


def may_be_in(batch: Batch, statuses: Iterable[TaskInstanceStatus]) -> dict[int, InstanceKey] | None:
    """Return, by step, the batch's instances that may be in one of the statuses, judged by their last seen status.

    Return None if the index does not show all of them yet: a distributor counts a batch's steps, so it must see either
    the whole batch or nothing of it.
    """
    wanted = frozenset(statuses)
    steps = {step for step, letter in enumerate(batch.seen) if letter != NO_STEP and _may_be_in(letter, wanted)}
    found = members(batch, steps)
    return {step: found[step] for step in steps} if steps <= found.keys() else None


def _may_be_in(letter: str, wanted: frozenset[TaskInstanceStatus]) -> bool:
    return any(may_become(TaskInstanceStatus(letter), status) for status in wanted)


def note(batch: Batch, seen: Mapping[int, TaskInstanceStatus], due: float) -> None:
    """Store the statuses in which steps were seen, and when the batch is due for its next check.

    Store nothing if another caller has written to the batch since it was read.
    """
    letters = [seen.get(step, letter) for step, letter in enumerate(batch.seen)]
    present = {TaskInstanceStatus(letter) for letter in letters if letter != NO_STEP}
    attention = BatchAttention(0.0 if batch.is_part else due, waiting=not present.isdisjoint(WAITING))
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
    """Bring the batch's next check forward to report_by, if checks would otherwise come later than that.

    Usually they would not, and nothing is sent. If the batch's check is overdue, its time is changed too: a sweep may
    be checking the batch with an older state of the instance. Its note then fails and does not put the check off.
    """
    at = now()
    if report_by is None or report_by >= at + _SOON_SECONDS:
        return
    key = Batch.key(instance.array_id, instance.array_batch_num)
    later, overdue = (report_by, _due_between(report_by, None)), (at, _due_between(0.0, at))
    stored = _move_check(key, *later)
    while stored and not at < stored.due < report_by:
        stored = _move_check(key, *(overdue if stored.due <= at else later))


def _due_between(since: float, until: float | None) -> Condition:
    launched, waiting = (
        Batch.attention.between(due_key(prefix, since), last_key(prefix) if until is None else due_key(prefix, until))
        for prefix in (LAUNCHED_PREFIX, WAITING_PREFIX)
    )
    return Or(launched, waiting)


def _move_check(key: Key, due: float, where: Condition) -> BatchAttention | None:
    """Set a batch's next check if a condition holds. Otherwise return the stored one; None if the batch has none."""
    changes: list[Action] = [Batch.attention.set(str(BatchAttention(due, waiting=True))), *Batch.renewed(now())]
    try:
        update(key, changes, where)
    except ConditionFailedError as failed:
        [found] = failed.found
        return BatchAttention.parse(found["attention"]["S"]) if found and "attention" in found else None
    return None
