"""The script: the attempts of each of the 200 tasks, the same in every run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from local.verdict import Ending
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.task_instance.item import InstanceKey
from sim.life import Life, Quirk

TI = TaskInstanceStatus

MAX_ATTEMPTS: Final = 3
ALREADY_OVERDUE: Final = -1.0
_STRIDE: Final = 73
"""Shares no factor with the number of tasks."""

FINISHES: Final = Life(TI.DONE)
FAILS: Final = Life(TI.ERROR)
RUNS_OUT: Final = Life(TI.RESOURCE_ERROR)
NOT_ACCEPTED: Final = Life(TI.NO_DISTRIBUTOR_ID)
NEVER_STARTS: Final = Life(TI.UNKNOWN_ERROR, launched_for=ALREADY_OVERDUE)


@dataclass(frozen=True, slots=True)
class Fate:
    """The attempts of a task."""

    name: str
    tasks: int
    """The number of tasks with this fate."""
    attempts: tuple[Life, ...]

    @property
    def ends_in(self) -> TaskStatus:
        """The status in which the task ends."""
        return TaskStatus.DONE if self.attempts[-1].end is TI.DONE else TaskStatus.ERROR_FATAL


FATES: Final = (
    Fate("done at once", 146, (FINISHES,)),
    Fate("fails once", 20, (FAILS, FINISHES)),
    Fate("fails twice", 8, (FAILS, FAILS, FINISHES)),
    Fate("fails to the end", 6, (FAILS,) * MAX_ATTEMPTS),
    Fate("runs out of memory", 8, (RUNS_OUT, FINISHES)),
    Fate("not accepted by the cluster", 3, (NOT_ACCEPTED, FINISHES)),
    Fate("never starts", 3, (NEVER_STARTS, FINISHES)),
    Fate("reports its end twice", 2, (Life(TI.DONE, Quirk.TWICE),)),
    Fate("reports its failure twice", 2, (Life(TI.ERROR, Quirk.TWICE), FINISHES)),
    Fate("claimed by two workers", 2, (Life(TI.DONE, Quirk.RIVAL),)),
)


def in_turn(fates: Sequence[Fate] = FATES) -> list[Fate]:
    """Return one fate for each task, in a mixed order.

    >>> from collections import Counter
    >>> Counter(in_turn()) == {fate: fate.tasks for fate in FATES}
    True
    """
    all_fates = [fate for fate in fates for _ in range(fate.tasks)]
    return [all_fates[index * _STRIDE % len(all_fates)] for index in range(len(all_fates))]


def must_be(fate: Fate) -> Ending:
    """Return how a task with this fate must end."""
    ends = tuple(life.end for life in fate.attempts)
    return Ending(fate.ends_in, len(ends), ends, tuple(int(end is not TI.DONE) for end in ends))


def script(fate_of: Mapping[int, Fate]) -> dict[int, Life]:
    """Return the life of each instance, by its id."""
    return {
        InstanceKey(task_id, number).id: life
        for task_id, fate in fate_of.items()
        for number, life in enumerate(fate.attempts, 1)
    }
