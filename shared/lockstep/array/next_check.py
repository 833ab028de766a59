"""Bring a batch's next check forward, when one of its instances is due to report before that."""

from typing import Final

from pynamodb.expressions.condition import Condition, Or
from pynamodb.expressions.update import Action

from lockstep.array.item import LAUNCHED_PREFIX, WAITING_PREFIX, Batch, NextCheck, due_key, last_key
from lockstep.clock import HEARTBEAT_BUFFER_SECONDS, now
from lockstep.dynamodb.client import ConditionFailedError, update
from lockstep.dynamodb.item import Key
from lockstep.task_instance.item import TaskInstance

_SOON_SECONDS: Final = 0.96 * HEARTBEAT_BUFFER_SECONDS
"""An instance whose next report is due within this time brings its batch's check forward. It is shorter than the buffer
because a request takes time.
"""


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


def _move_check(key: Key, due: float, where: Condition) -> NextCheck | None:
    """Set a batch's next check if a condition holds. Otherwise return the stored one; None if the batch has none."""
    changes: list[Action] = [Batch.attention.set(str(NextCheck(due, waiting=True))), *Batch.renewed(now())]
    try:
        update(key, changes, where)
    except ConditionFailedError as failed:
        [found] = failed.found
        return NextCheck.parse(found["attention"]["S"]) if found and "attention" in found else None
    return None
