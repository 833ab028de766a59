"""What is asked of the load generator, and what it found."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sim.client import Reply


class Kind(StrEnum):
    """What the clients do."""

    LIVES = "lives"
    """Each takes one instance after the other from launched to done."""
    LOOKUPS = "lookups"
    """Each asks for the instance at one step after the other."""
    CONTENTION = "contention"
    """All of them report about one instance at the same moment, then about the next one."""
    HERD = "herd"
    """Each runs one instance; they start one after the other, evenly spread."""


@dataclass(frozen=True, slots=True)
class Load:
    """An order to the generator."""

    kind: Kind
    url: str
    """With the routes' prefix."""
    clients: int
    targets: list[Any]
    """Task instance ids; of LOOKUPS, [array id, batch number, step]."""
    spread_seconds: float = 0.0
    """Of a HERD: from the first start to the last."""


@dataclass(frozen=True, slots=True)
class Found:
    """What became of the requests."""

    seconds: float
    """From the first request to the last reply."""
    milliseconds: list[float]
    """Of each request."""
    not_ok: dict[str, int]
    """How many by HTTP status, or by what there was instead."""
    done: int = 0
    """How many instances were DONE by the last reply about them; of LOOKUPS, how many were found."""
    acknowledged: list[list[str]] = field(default_factory=list)
    """Of CONTENTION, for each instance: the outcomes of which a reporter was told that its own one stands."""
    most_at_once: int = 0
    """Of a HERD: how many were between their first request and their last reply."""

    @property
    def requests(self) -> int:
        """How many were sent."""
        return len(self.milliseconds)

    @property
    def per_second(self) -> float:
        """Requests, whatever became of them."""
        return self.requests / self.seconds

    def percentile(self, percent: int) -> float:
        """Of the milliseconds."""
        return statistics.quantiles(self.milliseconds, n=100, method="inclusive")[percent - 1]


def pooled(several: Sequence[Found]) -> Found:
    """Make one of the same load carried out several times."""
    return Found(
        sum(each.seconds for each in several),
        [one for each in several for one in each.milliseconds],
        dict(sum((Counter(each.not_ok) for each in several), Counter())),
        sum(each.done for each in several),
        [one for each in several for one in each.acknowledged],
        max(each.most_at_once for each in several),
    )


def found(replies: Sequence[Reply], seconds: float, **more: Any) -> Found:
    """Sum up the replies."""
    not_ok = Counter(reply.outcome for reply in replies if not reply.ok)
    return Found(seconds, [1000 * reply.seconds for reply in replies], dict(not_ok), **more)
