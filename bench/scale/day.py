"""A day: instances that begin by the second, and what they ask for, against what there is.

Every instance asks for what prices.life says of one with HEARTBEATS heartbeats, and for its binding as it was measured,
in the second in which it begins: a life of nine minutes is short beside the hours in which a day's use rises and falls.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from bench.scale import limits
from bench.scale.costs import COUNTER, INDEXES, ROLES, Step
from bench.scale.limits import Limit
from local import prices

SECONDS: Final = 86_400
HEARTBEATS: Final = 5
SHARPNESS: Final = 3
"""The profile is ((1 - cos) / 2) ** SHARPNESS: nothing at midnight, all at noon."""
DAYS: Final = (10**4, 10**6, 10**8)


@cache
def profile() -> tuple[float, ...]:
    """The share of a day's instances that begin in each of its seconds."""
    raw = [((1 - math.cos(2 * math.pi * (second + 0.5) / SECONDS)) / 2) ** SHARPNESS for second in range(SECONDS)]
    total = sum(raw)
    return tuple(each / total for each in raw)


def peak_factor() -> float:
    """The busiest second beside the mean one."""
    return max(profile()) * SECONDS


@dataclass(frozen=True, slots=True)
class Demand:
    """What an instance asks for of something that is limited."""

    limit: Limit
    each: float
    """Units, requests or seconds of execution of one instance."""


def demands(steps: Mapping[str, Step]) -> list[Demand]:
    """Of one instance, with its binding. Of partitions, the one that all of a day share: the tasks' counter."""
    uses = prices.life(HEARTBEATS)
    binding = steps["bind tasks"]
    of_table = [role for role in ROLES if role not in INDEXES]
    requests = sum(use.times for use in uses) + 1 / binding.instances
    written = sum(use.times * use.written for use in uses) + binding.written() / binding.instances
    read = sum(use.times * use.read for use in uses) + binding.read(of_table) / binding.instances
    executing = sum(use.times * (use.milliseconds + prices.STARTS * use.starting) / 1000 for use in uses)
    return [
        Demand(limits.GATEWAY_RATE, requests),
        Demand(limits.STAGE_RATE, requests),
        Demand(limits.CALLS, requests),
        Demand(limits.CONCURRENCY, executing),
        Demand(limits.NEW_TABLE_WRITES, written),
        Demand(limits.NEW_TABLE_READS, read),
        Demand(limits.TABLE_WRITES, written),
        Demand(limits.TABLE_READS, read),
        Demand(limits.PARTITION_WRITES, binding.written([COUNTER]) / binding.instances),
    ]


def held(demand: Demand) -> float:
    """Instances a day, in this profile, at which the busiest second takes all there is."""
    return demand.limit.amount / (demand.each * max(profile()))


def first_second(instances: float, demand: Demand) -> int | None:
    """The second of the day in which a limit is passed first; None: it is not.

    A table's growth is reckoned on its first day: what it takes is twice what it was asked for half an hour ago and
    before, and never less than what a new one takes.
    """
    asked = [instances * share * demand.each for share in profile()]
    grows = demand.limit in {limits.NEW_TABLE_WRITES, limits.NEW_TABLE_READS}
    there: Iterable[float] = grown(asked, demand.limit.amount) if grows else [demand.limit.amount] * len(asked)
    return next((second for second, (want, has) in enumerate(zip(asked, there, strict=True)) if want > has), None)


def grown(asked: Sequence[float], least: float) -> list[float]:
    """What an on-demand table takes in each second, if it was new in the first."""
    there, peak = [], 0.0
    for second in range(len(asked)):
        if second >= limits.GROWTH_SECONDS:
            peak = max(peak, asked[second - limits.GROWTH_SECONDS])
        there.append(max(least, limits.GROWTH * peak))
    return there


def dollars(instances: float, heartbeats: int = HEARTBEATS) -> float:
    """For a day, by prices.py: without binding, and without API Gateway's rebate for volume."""
    return sum(prices.cost(prices.life(heartbeats)).values()) * instances / prices.MILLION
