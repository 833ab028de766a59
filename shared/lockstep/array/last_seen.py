"""The statuses in which a batch's instances were last seen: later calls read only those that may have changed."""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Final, NamedTuple

from pynamodb.expressions.update import Action

from lockstep.array.item import NO_STEP, Batch, NextCheck, batch_of
from lockstep.array.portions import Portion
from lockstep.clock import now
from lockstep.dynamodb.client import ConditionFailedError, reach
from lockstep.dynamodb.item import Key
from lockstep.dynamodb.parallel import run_parallel
from lockstep.dynamodb.reads import fetch
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.fsm.transitions import has_ended
from lockstep.task_instance.item import InstanceKey, TaskInstance

WAITING: Final = frozenset({TaskInstanceStatus.QUEUED, TaskInstanceStatus.INSTANTIATED})
"""The statuses in which an instance waits for the distributor."""
MOST_BATCHES_NOTED: Final = 100
"""The batches in which a poll notes what became of the instances that it was asked about."""


class Seen(NamedTuple):
    """The statuses that a call saw in a portion."""

    portion: Portion
    statuses: Mapping[int, TaskInstanceStatus]
    """Statuses by step, of the steps that were seen."""

    @classmethod
    def read(
        cls, portion: Portion, steps: Mapping[int, InstanceKey], found: Mapping[InstanceKey, TaskInstance]
    ) -> "Seen":
        """The statuses of those of a portion's instances that were found by a read."""
        return cls(
            portion, {step: TaskInstanceStatus(found[key].status) for step, key in steps.items() if key in found}
        )


def remember(looked: Iterable[Seen], due: Mapping[Key, float] | None = None) -> None:
    """Store the statuses that were seen, so that the next call begins at the rest.

    due: when batches are due for their next check, by key. All others keep their time.
    """
    by_batch: dict[Key, tuple[Batch, dict[int, TaskInstanceStatus]]] = {}
    for portion, statuses in looked:
        by_batch.setdefault(portion.key, (portion.batch, {}))[1].update(statuses)
    times = due or {}
    run_parallel(lambda key: _remember_batch(*by_batch[key], times.get(key)), by_batch)


def remember_changes(instances: Collection[TaskInstance], known: TaskInstanceStatus) -> None:
    """Store the seen statuses of instances in their batches, if an instance of the batch left the known status.

    This updates at most MOST_BATCHES_NOTED batches. Later polls and sweeps skip the instances that ended, and people
    see a workflow's progress.
    """
    changed = dict.fromkeys(_batch_of(instance) for instance in instances if instance.status != known)
    seen: dict[tuple[int, int], dict[int, TaskInstanceStatus]] = {
        batch: {} for batch in islice(changed, MOST_BATCHES_NOTED)
    }
    for instance in instances if seen else ():
        if (statuses := seen.get(_batch_of(instance))) is not None:
            statuses[instance.array_step_id] = TaskInstanceStatus(instance.status)
    found = fetch((Batch.key(*batch) for batch in seen), consistent=True)
    run_parallel(lambda key: _remember_batch(Batch.from_raw_data(found[key]), seen[batch_of(key.pk)], None), found)


def _batch_of(instance: TaskInstance) -> tuple[int, int]:
    return instance.array_id, instance.array_batch_num


def _remember_batch(batch: Batch, seen: Mapping[int, TaskInstanceStatus], due: float | None) -> None:
    if batch.attention:
        note(batch, seen, NextCheck.parse(batch.attention).due if due is None else due)


def note(batch: Batch, seen: Mapping[int, TaskInstanceStatus], due: float) -> None:
    """Store the statuses in which steps were seen, and when the batch is due for its next check.

    Store nothing if that is stored already, or if another caller has written to the batch since it was read.
    """
    letters = [letter if letter == NO_STEP else seen.get(step, letter) for step, letter in enumerate(batch.seen)]
    present = {TaskInstanceStatus(letter) for letter in set(letters) if letter != NO_STEP}
    attention = NextCheck(0.0 if batch.is_part else due, waiting=not present.isdisjoint(WAITING))
    ended = all(map(has_ended, present))
    if ("".join(letters), None if ended else str(attention)) == (batch.seen, batch.attention):
        return
    changes: list[Action] = [
        Batch.seen.set("".join(letters)),
        Batch.noted_at.set(now()),
        Batch.attention.remove() if ended else Batch.attention.set(str(attention)),
        *Batch.renewed(now()),
    ]
    unchanged = (Batch.attention == batch.attention) & (Batch.size == batch.size)
    try:
        reach(lambda: batch.update(changes, unchanged))
    except ConditionFailedError:
        return
