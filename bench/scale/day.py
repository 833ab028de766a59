"""A day of instances, second by second, and their demand against AWS's limits.

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
    """Return the share of a day's instances that begin in each second."""
    raw = [((1 - math.cos(2 * math.pi * (second + 0.5) / SECONDS)) / 2) ** SHARPNESS for second in range(SECONDS)]
    total = sum(raw)
    return tuple(each / total for each in raw)


def peak_factor() -> float:
    """Return the busiest second's share, divided by the mean."""
    return max(profile()) * SECONDS


@dataclass(frozen=True, slots=True)
class Demand:
    """An instance's demand for something that is limited."""

    limit: Limit
    each: float
    """The units, requests or seconds of execution that one instance takes."""


def demands(steps: Mapping[str, Step]) -> list[Demand]:
    """List one instance's demands, with its binding. All instances share one partition only: the tasks' counter."""
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
    """Return the instances a day, in this profile, whose busiest second reaches the limit."""
    return demand.limit.amount / (demand.each * max(profile()))


def first_second(instances: float, demand: Demand) -> int | None:
    """Return the first second of the day in which a limit is passed, or None.

    A table's growth is reckoned on its first day: what it takes is twice what it was asked for half an hour ago and
    before, and never less than what a new one takes.
    """
    asked = [instances * share * demand.each for share in profile()]
    grows = demand.limit in {limits.NEW_TABLE_WRITES, limits.NEW_TABLE_READS}
    there: Iterable[float] = grown(asked, demand.limit.amount) if grows else [demand.limit.amount] * len(asked)
    return next((second for second, (want, has) in enumerate(zip(asked, there, strict=True)) if want > has), None)


def grown(asked: Sequence[float], least: float) -> list[float]:
    """Return the capacity of an on-demand table in each second, if it was new in the first."""
    there, peak = [], 0.0
    for second in range(len(asked)):
        if second >= limits.GROWTH_SECONDS:
            peak = max(peak, asked[second - limits.GROWTH_SECONDS])
        there.append(max(least, limits.GROWTH * peak))
    return there


def dollars(instances: float, heartbeats: int = HEARTBEATS) -> float:
    """Return the price of a day, by prices.py: without binding, and without API Gateway's rebate for volume."""
    return sum(prices.cost(prices.life(heartbeats)).values()) * instances / prices.MILLION
