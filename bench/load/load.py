"""An order to the load generator, and its result."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sim.client import Reply


class Kind(StrEnum):
    """The work of the clients."""

    LIVES = "lives"
    """Each takes one instance after the other from launched to done."""
    LOOKUPS = "lookups"
    """Each asks for the instance at one step after the other."""
    CONTENTION = "contention"
    """All of them report about one instance at the same moment, then about the next one."""
    HERD = "herd"
    """Each runs one instance; they start one after the other, evenly spread."""
    CALLS = "calls"
    """Each makes the calls of one life after the other to DynamoDB itself, by botocore with its default settings."""


@dataclass(frozen=True, slots=True)
class Load:
    """An order to the generator."""

    kind: Kind
    url: str
    """The server's, with the prefix of all routes; for CALLS, DynamoDB's."""
    clients: int
    targets: list[Any]
    """Task instance ids; for LOOKUPS, [array id, batch number, step]; for CALLS, each life's methods and arguments."""
    spread_seconds: float = 0.0
    """For a HERD: the time from the first start to the last."""


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a load."""

    seconds: float
    """The time from the first request to the last reply."""
    milliseconds: list[float]
    """The time that each request took."""
    not_ok: dict[str, int]
    """The number of replies other than 200, by HTTP status or connection error."""
    done: int = 0
    """The number of instances that were DONE, by the last reply about each; for LOOKUPS, of those found."""
    acknowledged: list[list[str]] = field(default_factory=list)
    """For CONTENTION: the outcomes of each instance that some reporter was told to stand."""
    most_at_once: int = 0
    """For a HERD: the number of workers between their first request and their last reply."""

    @property
    def requests(self) -> int:
        """The number of requests sent."""
        return len(self.milliseconds)

    @property
    def per_second(self) -> float:
        """Requests a second, whatever their replies."""
        return self.requests / self.seconds

    def percentile(self, percent: int) -> float:
        """A percentile of the milliseconds."""
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
