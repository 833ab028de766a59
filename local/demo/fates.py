"""The script: what becomes of each of the 200 tasks. It is the same in every run."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus

MAX_ATTEMPTS: Final = 3
_STRIDE: Final = 73
"""Shares no factor with the number of tasks."""


class Attempt(StrEnum):
    """How one attempt goes."""

    FINISHES = "finishes"
    FINISHES_TWICE = "reports twice at once that it finished"
    CLAIMED_TWICE = "is claimed by two workers at once; one is told to stop, the other finishes"
    FAILS = "fails"
    FAILS_TWICE = "reports twice at once that it failed"
    RUNS_OUT = "takes more memory than it asked for"
    NOT_ACCEPTED = "gets no id from the cluster"
    NEVER_STARTS = "is launched and never heard of"

    @property
    def ends_in(self) -> TaskInstanceStatus:
        """The status in which its instance ends."""
        return _ENDS_IN.get(self, TaskInstanceStatus.DONE)

    @property
    def error_entries(self) -> int:
        """How many its instance ends with."""
        return int(self in _ENDS_IN)

    @property
    def reports(self) -> int:
        """How many times its worker reports its end."""
        return 2 if self in {Attempt.FINISHES_TWICE, Attempt.FAILS_TWICE} else 1

    @property
    def has_worker(self) -> bool:
        """Whether a worker node ever hears of it."""
        return self not in {Attempt.NOT_ACCEPTED, Attempt.NEVER_STARTS}


_ENDS_IN: Final = {
    Attempt.FAILS: TaskInstanceStatus.ERROR,
    Attempt.FAILS_TWICE: TaskInstanceStatus.ERROR,
    Attempt.RUNS_OUT: TaskInstanceStatus.RESOURCE_ERROR,
    Attempt.NOT_ACCEPTED: TaskInstanceStatus.NO_DISTRIBUTOR_ID,
    Attempt.NEVER_STARTS: TaskInstanceStatus.UNKNOWN_ERROR,
}


class Fate(NamedTuple):
    """What becomes of a task."""

    name: str
    tasks: int
    """How many tasks have it."""
    attempts: tuple[Attempt, ...]

    @property
    def ends_in(self) -> TaskStatus:
        """The status in which the task ends."""
        done = self.attempts[-1].ends_in is TaskInstanceStatus.DONE
        return TaskStatus.DONE if done else TaskStatus.ERROR_FATAL


FATES: Final = (
    Fate("done at once", 146, (Attempt.FINISHES,)),
    Fate("fails once", 20, (Attempt.FAILS, Attempt.FINISHES)),
    Fate("fails twice", 8, (Attempt.FAILS, Attempt.FAILS, Attempt.FINISHES)),
    Fate("fails to the end", 6, (Attempt.FAILS,) * MAX_ATTEMPTS),
    Fate("runs out of memory", 8, (Attempt.RUNS_OUT, Attempt.FINISHES)),
    Fate("not accepted by the cluster", 3, (Attempt.NOT_ACCEPTED, Attempt.FINISHES)),
    Fate("never starts", 3, (Attempt.NEVER_STARTS, Attempt.FINISHES)),
    Fate("reports its end twice", 2, (Attempt.FINISHES_TWICE,)),
    Fate("reports its failure twice", 2, (Attempt.FAILS_TWICE, Attempt.FINISHES)),
    Fate("claimed by two workers", 2, (Attempt.CLAIMED_TWICE,)),
)


def in_turn(fates: Sequence[Fate] = FATES) -> list[Fate]:
    """One fate for each task, well mixed.

    >>> from collections import Counter
    >>> Counter(in_turn()) == {fate: fate.tasks for fate in FATES}
    True
    """
    all_fates = [fate for fate in fates for _ in range(fate.tasks)]
    return [all_fates[index * _STRIDE % len(all_fates)] for index in range(len(all_fates))]
