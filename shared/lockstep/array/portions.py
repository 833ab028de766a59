"""Portions of batches: the steps that a sweep, a poll, a termination or a move works on between two looks at the time.

The statuses that a batch was last seen with (Batch.seen) say which of its steps may be concerned.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

from lockstep.array.item import NO_STEP, Batch, NextCheck
from lockstep.array.read import members
from lockstep.clock import now
from lockstep.dynamodb.item import Key
from lockstep.dynamodb.parallel import chunks, rotated, run_parallel
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.fsm.transitions import may_become
from lockstep.task_instance.item import STEPS_PER_PARTITION, InstanceKey

STEPS_PER_PORTION: Final = 1_000
"""The steps of a batch that are worked on as a whole. A batch that Lockstep fills has no more; a seeded one may."""
STEPS_PER_GROUP: Final = 2_000
"""The steps that a bulk call works on, about, before it looks at the time."""
HIDDEN_SECONDS: Final = 3_600.0
"""How long a batch may be due and not be shown as a whole by the index. After that, an instance of it is gone."""


class Portion(NamedTuple):
    """Steps of a batch that are worked on as a whole: all that are concerned, but STEPS_PER_PORTION at most.

    A distributor counts a batch's steps, so it must be told of the whole batch at once.
    """

    batch: Batch
    steps: list[int]
    last: bool
    """Whether it is the last of its batch."""

    @property
    def key(self) -> Key:
        """The key of its batch."""
        return Key(self.batch.pk, self.batch.sk)

    def instances(self) -> dict[int, InstanceKey] | None:
        """Return its instances by step; None if the index does not show all of them yet.

        Of a batch that has been due for HIDDEN_SECONDS, those that the index shows: the others have expired.
        """
        found = members(self.batch, self.steps)
        shown = {step: found[step] for step in self.steps if step in found}
        if all(step in shown or self.batch.seen[step] == NO_STEP for step in self.steps):
            return shown
        return shown if 0.0 < self.due < now() - HIDDEN_SECONDS else None

    @property
    def due(self) -> float:
        """The time of its batch's next check; 0.0 for a part of another run's batch, and for one that has ended."""
        return NextCheck.parse(self.batch.attention).due if self.batch.attention else 0.0


def in_portions(
    batches: Iterable[Batch],
    statuses: Iterable[TaskInstanceStatus],
    *,
    first: Collection[str] = (),
    of_any_run: bool = False,
) -> Iterator[Portion]:
    """Yield the steps of batches whose instances may be in one of the statuses, judged by their last seen status.

    A batch of several portions begins with any of them, so that calls which do only some do each of them some time.
    first: the statuses whose portions come before the others of a batch.
    of_any_run adds the steps that are another run's, of which the batch knows no status.
    """
    wanted = frozenset(statuses)
    for batch in batches:
        letters = {letter for letter in set(batch.seen) - {NO_STEP} if _may_be_in(letter, wanted)}
        letters |= {NO_STEP} if of_any_run else set()
        concerned = [step for step, letter in enumerate(batch.seen) if letter in letters]
        portions = rotated(chunks(concerned, STEPS_PER_PORTION)) or [[]]
        portions.sort(key=lambda steps: all(batch.seen[step] not in first for step in steps))  # called at once
        for number, steps in enumerate(portions, 1):
            yield Portion(batch, steps, last=number == len(portions))


def with_instances(
    batches: Iterable[Batch], statuses: Collection[TaskInstanceStatus]
) -> Iterator[list[tuple[Portion, dict[int, InstanceKey]]]]:
    """Yield the portions of batches that may be in the statuses, with their instances, a group at a time."""
    for group in in_groups(in_portions(batches, statuses)):
        shown = run_parallel(Portion.instances, group)
        yield [(portion, steps) for portion, steps in zip(group, shown, strict=True) if steps is not None]


def in_groups(portions: Iterable[Portion]) -> Iterator[list[Portion]]:
    """Yield portions in groups that are worked on between two looks at the time."""
    group: list[Portion] = []
    taken = 0
    for portion in portions:
        group.append(portion)
        taken += max(len(portion.steps), STEPS_PER_PARTITION)
        if taken >= STEPS_PER_GROUP:
            yield group
            group, taken = [], 0
    if group:
        yield group


def _may_be_in(letter: str, wanted: frozenset[TaskInstanceStatus]) -> bool:
    return any(may_become(TaskInstanceStatus(letter), status) for status in wanted)
