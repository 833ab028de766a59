"""The script of one attempt at a task: how it ends, and what is odd about the reports of it."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lockstep.fsm.statuses import TaskInstanceStatus

TI = TaskInstanceStatus

MOST_HEARTBEATS: Final = 5
_LIKELY: Final = {
    TI.NO_DISTRIBUTOR_ID: 2,
    TI.UNKNOWN_ERROR: 3,
    TI.DONE: 74,
    TI.ERROR: 11,
    TI.RESOURCE_ERROR: 8,
    TI.ERROR_FATAL: 2,
}
"""The percentage of attempts that end so."""
_STARTS_EARLY: Final = 0.2
"""The share of workers that start before the cluster's answer is reported."""


class Quirk(StrEnum):
    """An oddity of a worker's reports."""

    NONE = "none"
    TWICE = "last reports sent twice at once"
    LATE_HEARTBEAT = "heartbeats after the last report"
    OVERTAKEN = "heartbeats overtaken by the last report"
    LATE_START = "starts reported again after the end"
    SILENT = "silences"
    RIVAL = "rivals"
    """A second worker claims the same instance."""


_QUIRKS: Final = [Quirk.NONE] * 12 + [each for each in Quirk if each is not Quirk.NONE]


@dataclass(frozen=True, slots=True)
class Life:
    """One attempt. Times are in seconds."""

    end: TI
    """NO_DISTRIBUTOR_ID: the cluster refuses it. UNKNOWN_ERROR: no worker ever starts."""
    quirk: Quirk = Quirk.NONE
    heartbeats: int = 2
    silent_before: int = 0
    """The report that a silence comes before; the last report counts too."""
    starts_after: float = 0.0
    rival_starts_after: float = 0.0
    launched_for: float | None = None
    """When its first report is due, if the cluster accepts it by itself and not with its batch."""

    @property
    def refused(self) -> bool:
        """Whether the cluster gives it no id."""
        return self.end is TI.NO_DISTRIBUTOR_ID

    @property
    def starts(self) -> bool:
        """Whether a worker ever starts."""
        return not self.refused and self.end is not TI.UNKNOWN_ERROR


def draw(rng: random.Random, turn: int) -> Life:
    """Draw a life. Quirks come in turn, so that a few dozen lives have them all."""
    [end] = rng.choices([*_LIKELY], [*_LIKELY.values()])
    heartbeats = rng.randint(0, MOST_HEARTBEATS)
    return Life(
        end,
        _QUIRKS[turn % len(_QUIRKS)],
        heartbeats,
        silent_before=rng.randint(0, heartbeats),
        starts_after=0.0 if rng.random() < _STARTS_EARLY else rng.uniform(0.5, 3),
        rival_starts_after=rng.choice((0.0, rng.uniform(0, 10))),
    )
