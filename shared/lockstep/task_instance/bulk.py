"""Set attributes of many instances at once, where a condition holds."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from lockstep import text
from lockstep.clock import now
from lockstep.context import deadline
from lockstep.dynamodb.item import RawItem
from lockstep.dynamodb.parallel import chunks, rotated, run_parallel
from lockstep.dynamodb.reads import fetch, fetch_present
from lockstep.dynamodb.statements import Change, Value, Where, all_of, equals, is_missing, one_of, set_where
from lockstep.fsm.reports import LAUNCH, OF_OTHER_JOB, concerns_names
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.observability import bind, count, record_refusal
from lockstep.task_instance import store
from lockstep.task_instance.item import InstanceKey, TaskInstance

WRITTEN_UNREAD: Final = 1_000
"""The instances that are written without a look at what is stored. Of more, in pieces of as many, only those are
written that differ: a read costs half as much as a write, and takes a quarter of the requests.
"""
_ENOUGH: Final = 0.6
"""The share of the time after which a call with heartbeats of many instances begins no other piece, and one with
distributor ids counts no more refused ones.
"""
_NAMED: Final = ("array_id", "status", "launched_as", "worker_job")
"""The attributes of an instance that say whether it takes a distributor id."""
_NOT_OF_ARRAY: Final = "it is not of this array, or does not exist"


def log_heartbeats(instances: Sequence[InstanceKey], increment: float) -> None:
    """Move report_by to `increment` seconds from now for those that are LAUNCHED. All others stay as they are.

    Unknown instances are ignored. One request for 25 instances, one write unit each. Of more than WRITTEN_UNREAD
    instances, those whose report_by differs by less than half of the increment stay too, and a call begins at a random
    one and moves as many as its time allows: a distributor repeats its heartbeats long before they are due.
    """
    report_by = now() + increment
    launched = {"S": TaskInstanceStatus.LAUNCHED.value}

    def is_due(stored: RawItem, _: Change) -> bool:
        promised = float(stored["report_by"]["N"]) if "report_by" in stored else -math.inf
        return stored["status"] == launched and abs(promised - report_by) >= abs(increment) / 2

    few = len(instances) <= WRITTEN_UNREAD
    for number, some in enumerate(chunks(instances if few else rotated(instances), WRITTEN_UNREAD)):
        if number and deadline().spent(_ENOUGH):
            return
        changes: dict[InstanceKey, Change] = {key: {"report_by": {"N": str(report_by)}} for key in some}
        if not few:
            changes = _select(changes, is_due)
        _set_where(changes, dict.fromkeys(changes, equals("status", launched)))


def log_distributor_ids(distributor_ids: Mapping[InstanceKey, str], array_id: int) -> None:
    """Store the distributor ids of instances of this array. All others stay as they are; unknown ones are ignored.

    An instance that has ended keeps the id that was said before; another one is refused, and counted at the instance.
    One request for 25 instances, one write unit each. Of more than WRITTEN_UNREAD ids, a consistent read finds those
    that are stored already and those that are refused: neither is written, so those behind them have their turn. The
    refused ones are counted at the instances once nothing else is left, as many as the time allows.

    Raises:
        UnavailableError: some ids may be stored; the same call again stores the rest.
    """
    of_array = {"N": str(array_id)}
    refused: list[InstanceKey] = []
    for some in chunks(distributor_ids, WRITTEN_UNREAD):
        changes = {key: _named_by_distributor(distributor_ids[key]) for key in some}
        if len(distributor_ids) > WRITTEN_UNREAD:
            changes, of_other_job = _sorted_out(changes, of_array)
            refused += of_other_job
        refused += _name(changes, of_array)
    _refuse(refused)


def _sorted_out(
    changes: Mapping[InstanceKey, Change], of_array: Value
) -> tuple[dict[InstanceKey, Change], list[InstanceKey]]:
    """Read instances of an array. Return the changes that are not stored yet, and the instances that refuse theirs."""
    keys = {TaskInstance.key(key): key for key in changes}
    found = fetch(keys, consistent=True, only=_NAMED)
    of_this = {keys[item]: stored for item, stored in found.items() if stored["array_id"] == of_array}
    record_refusal(_NOT_OF_ARRAY, len(changes) - len(of_this))
    new: dict[InstanceKey, Change] = {}
    refused: list[InstanceKey] = []
    for key, stored in of_this.items():
        launched_as = changes[key]["launched_as"]
        if stored.get("launched_as") == launched_as:
            continue
        if "launched_as" not in stored or _takes(stored, launched_as):
            new[key] = changes[key]
        else:
            refused.append(key)
    return new, refused


def _name(changes: Mapping[InstanceKey, Change], of_array: Value) -> list[InstanceKey]:
    """Store the ids of an array's instances, and return those that refuse theirs."""
    unnamed = {key: all_of(equals("array_id", of_array), is_missing("launched_as")) for key in changes}
    stored = set(_set_where(changes, unnamed))
    left = {key: change for key, change in changes.items() if key not in stored}
    named = _select(left, lambda stored, _: bool(stored["array_id"] == of_array))
    record_refusal(_NOT_OF_ARRAY, len(left) - len(named))
    for where in _TAKES:
        again = set(_set_where(named, {key: where(change["launched_as"]) for key, change in named.items()}))
        named = {key: change for key, change in named.items() if key not in again}
    return list(named)


def _refuse(instances: Sequence[InstanceKey]) -> None:
    """Count the instances that refuse their ids: all of them in the log, and at each as far as the time allows."""
    kind = OF_OTHER_JOB.kind.name
    count(f"Refused.{kind}", len(instances))
    record_refusal(OF_OTHER_JOB.reason, len(instances), kind=kind)
    for number, some in enumerate(chunks(instances, WRITTEN_UNREAD)):
        if number and deadline().spent(_ENOUGH):
            bind(refusal_not_counted="the time is up")
            return
        run_parallel(store.note_refusal, some)


def _named_by_distributor(distributor_id: str) -> Change:
    return {"distributor_id": {"S": text.escape(distributor_id)}, "launched_as": {"S": text.digest(distributor_id)}}


_RENAMED_IN: Final[Sequence[Value]] = [
    {"S": status.value} for status in TaskInstanceStatus if not concerns_names(LAUNCH, status)
]
_TAKES: Final[Sequence[Callable[[Value], Where]]] = (
    lambda _: one_of("status", _RENAMED_IN),
    lambda launched_as: equals("launched_as", launched_as),
    lambda launched_as: equals("worker_job", launched_as),
)
"""When an instance that has been named takes another id: as the report about a single one (sender.sender_of).

Tried one after the other: AWS documents no UPDATE statement that joins conditions with OR. What moves between two of
them is not missed: an instance that has ended stays ended, and keeps the name that it has.
"""


def _takes(stored: RawItem, launched_as: Value) -> bool:
    """Whether an instance that was read, and has another name, takes this one: as _TAKES."""
    return stored["status"] in _RENAMED_IN or stored.get("worker_job") == launched_as


def log_taken_again(instances: Iterable[InstanceKey]) -> list[InstanceKey]:
    """Note that another distributor than before has taken the instances that are INSTANTIATED, and return those.

    One request for 25 instances, one write unit each. Repeating it changes nothing further.
    """
    changes = {key: {"taken_at": {"N": str(now())}} for key in instances}
    instantiated = equals("status", {"S": TaskInstanceStatus.INSTANTIATED.value})
    return _set_where(changes, dict.fromkeys(changes, instantiated))


def _select(
    changes: Mapping[InstanceKey, Change], is_wanted: Callable[[RawItem, Change], bool]
) -> dict[InstanceKey, Change]:
    """Select changes by a cheap read of their instances. Those of unknown instances are left out."""
    keys = {TaskInstance.key(key): key for key in changes}
    found = fetch_present(keys)
    return {keys[key]: changes[keys[key]] for key, stored in found.items() if is_wanted(stored, changes[keys[key]])}


def _set_where(changes: Mapping[InstanceKey, Change], where: Mapping[InstanceKey, Where]) -> list[InstanceKey]:
    """Set attributes of each instance for which its condition holds, and return those."""
    keys = {TaskInstance.key(key): key for key in changes}
    done = set_where({key: changes[keys[key]] for key in keys}, {key: where[keys[key]] for key in keys})
    return [keys[key] for key in done]
