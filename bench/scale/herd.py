"""A thundering herd: workers of one array that start at once, and the limits that they meet.

A fluid model in ticks: what is expected of many workers, not what one of them draws. Each worker sends the steps one
after the other. A request passes the gateway's token bucket, gets an environment of its function (an idle one, or a
new one that starts first), does its work, and takes its units of DynamoDB. What DynamoDB throttles waits inside its
function, as lockstep.dynamodb.client.reach does, until there is room or its budget is spent; that, and what the
gateway or Lambda turn away, is a 503, and is sent again as Jobmon's client does.

Left out: the way of a request through the network; the pauses between the tries inside a function; DynamoDB's burst
capacity; the authorizer (its answer is remembered); Lambda's limit of ten calls a second for each of the concurrency,
which is the gateway's rate again.
"""

import math
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.scale.limits import SCALING_SECONDS
from lockstep.clock import BUDGET_SECONDS
from sim.client import ATTEMPTS, JITTER, pause

TICK: Final = 0.1
"""Seconds."""
HORIZON: Final = 1_800
"""Seconds after which a herd that has not settled is given up."""
_SOMEBODY: Final = 0.5
"""Fewer workers than this mean nothing in the model."""
_NOBODY: Final = 1e-6
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Work:
    """One request of a worker."""

    name: str
    seconds: float
    """The duration in a warm environment."""
    starting: float
    """The additional duration in a new one."""
    units: Mapping[str, float] = field(default_factory=dict)
    """Units by bucket."""


@dataclass(frozen=True, slots=True)
class Herd:
    """Workers that start evenly spread over some seconds."""

    workers: float
    within: float
    works: Sequence[Work]


@dataclass(frozen=True, slots=True)
class Room:
    """The limits. An infinite one does not matter."""

    rate: float = math.inf
    """Requests a second."""
    burst: float = math.inf
    """Requests at once."""
    concurrency: float = math.inf
    scaling: float = math.inf
    """New environments of one function in 10 s."""
    buckets: Mapping[str, float] = field(default_factory=dict)
    """Units a second by bucket. A bucket that is missing here is never empty."""


GATEWAY: Final = "gateway"
CONCURRENCY: Final = "concurrency"
SCALING: Final = "scaling"


@dataclass(slots=True)
class Course:
    """The course of a herd, by the tick."""

    running: list[float] = field(default_factory=list)
    """How many workers have done all their works so far."""
    busy: list[float] = field(default_factory=list)
    """Executions at once."""
    refused: list[float] = field(default_factory=list)
    """Requests that were answered 503, in this tick."""
    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Units in this tick, by bucket."""
    first: dict[str, float] = field(default_factory=dict)
    """The second at which each limit first refused a request or let it wait."""
    wanted: dict[str, float] = field(default_factory=dict)
    """The demand at that moment, divided by the limit."""
    tried: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    """Requests by the number of the attempt."""
    answered: float = 0
    """Requests that were answered 200."""
    lost: float = 0
    """Workers whose client gave up."""

    def when(self, share: float) -> float:
        """Return the second by which this share of all that ever run does."""
        wanted = share * self.running[-1]
        return next(index for index, running in enumerate(self.running, 1) if running >= wanted) * TICK

    def peak(self, bucket: str) -> float:
        """Return the units of the busiest second."""
        ticks = self.taken[bucket]
        width = round(1 / TICK)
        return max((sum(ticks[index : index + width]) for index in range(len(ticks))), default=0.0)

    @property
    def most_attempts(self) -> int:
        """The most attempts that anybody needed."""
        return max(attempt for attempt, amount in self.tried.items() if amount >= _SOMEBODY)

    def note(self, limit: str, at: float, wanted: float, there: float) -> None:
        """Remember the first time that a limit bit."""
        if limit not in self.first:
            self.first[limit] = at
            self.wanted[limit] = wanted / there if there > _NOBODY else math.inf


_Class = tuple[int, int]
"""A request's index among the works, and the number of the attempt."""


@dataclass(slots=True)
class _Waiting:
    """Requests inside their function that wait for units."""

    since: int
    kind: _Class
    amount: float


class Simulation:
    """One herd in one room."""

    def __init__(self, herd: Herd, room: Room) -> None:
        self._herd, self._room = herd, room
        self._course = Course()
        self._arriving: dict[int, dict[_Class, float]] = defaultdict(lambda: defaultdict(float))
        self._ready: dict[int, dict[_Class, float]] = defaultdict(lambda: defaultdict(float))
        self._done: dict[int, dict[_Class, float]] = defaultdict(lambda: defaultdict(float))
        self._waiting: deque[_Waiting] = deque()
        self._idle = [0.0] * len(herd.works)
        self._startable = [room.scaling] * len(herd.works)
        self._tokens = room.burst
        self._busy = 0.0
        self._running = 0.0
        ticks = max(1, round(herd.within / TICK))
        for tick in range(ticks):
            self._arriving[tick][0, 1] = herd.workers / ticks

    def run(self, *, until_bitten: bool = False) -> Course:
        """Run until all workers have settled, until HORIZON, or until the first limit bites."""
        for tick in range(round(HORIZON / TICK)):
            refused = self._tick(tick)
            self._course.refused.append(refused)
            self._course.busy.append(self._busy)
            self._course.running.append(self._running)
            settled = self._running + self._course.lost >= self._herd.workers - _SOMEBODY
            if settled or (until_bitten and self._course.first):
                break
        return self._course

    def _tick(self, tick: int) -> float:
        refused: dict[_Class, float] = defaultdict(float)
        self._finish(tick)
        passed = self._pass_gateway(tick, refused)
        self._invoke(tick, passed, refused)
        for kind, amount in self._ready.pop(tick, {}).items():
            self._waiting.append(_Waiting(tick, kind, amount))
        self._take_units(tick, refused)
        for (work, attempt), amount in refused.items():
            self._send_again(tick, work, attempt, amount)
        return sum(refused.values())

    def _finish(self, tick: int) -> None:
        for (work, _), amount in self._done.pop(tick, {}).items():
            self._release(work, amount)
            self._course.answered += amount
            if work + 1 == len(self._herd.works):
                self._running += amount
            else:
                self._arriving[tick][work + 1, 1] += amount

    def _release(self, work: int, amount: float) -> None:
        self._busy -= amount
        self._idle[work] += amount

    def _pass_gateway(self, tick: int, refused: dict[_Class, float]) -> dict[_Class, float]:
        offered = self._arriving.pop(tick, {})
        wanted = sum(offered.values())
        self._tokens = min(self._room.burst, self._tokens + self._room.rate * TICK)
        share = min(1.0, self._tokens / wanted) if wanted else 1.0
        if share < 1:
            self._course.note(GATEWAY, tick * TICK, wanted, self._tokens)
        self._tokens -= wanted * share
        for kind, amount in offered.items():
            self._course.tried[kind[1]] += amount
            refused[kind] += amount * (1 - share)
        return {kind: amount * share for kind, amount in offered.items()}

    def _invoke(self, tick: int, passed: Mapping[_Class, float], refused: dict[_Class, float]) -> None:
        wanted = [0.0] * len(self._herd.works)
        for (work, _), amount in passed.items():
            wanted[work] += amount
        for work, starting in enumerate(self._startable):
            self._startable[work] = min(self._room.scaling, starting + self._room.scaling * TICK / SCALING_SECONDS)
        possible = [
            min(want, idle + startable)
            for want, idle, startable in zip(wanted, self._idle, self._startable, strict=True)
        ]
        if sum(possible) < sum(wanted) - _NOBODY:
            self._course.note(SCALING, tick * TICK, sum(wanted), sum(possible))
        free = max(0.0, self._room.concurrency - self._busy)
        fits = min(1.0, free / sum(possible)) if sum(possible) else 1.0
        if fits < 1:
            self._course.note(CONCURRENCY, tick * TICK, self._busy + sum(possible), self._room.concurrency)
        for work, amount in enumerate(possible):
            self._begin(tick, work, amount * fits, wanted[work], passed)
        for kind, amount in passed.items():
            work = kind[0]
            refused[kind] += amount * (1 - possible[work] * fits / wanted[work]) if wanted[work] else 0.0

    def _begin(self, tick: int, work: int, amount: float, wanted: float, passed: Mapping[_Class, float]) -> None:
        if not amount:
            return
        warm = min(self._idle[work], amount)
        self._idle[work] -= warm
        self._startable[work] -= amount - warm
        self._busy += amount
        what = self._herd.works[work]
        for (of, attempt), part in passed.items():
            if of == work:
                share = part / wanted
                self._ready[tick][work, attempt] += warm * share
                later = tick + max(1, round(what.starting / TICK))
                self._ready[later][work, attempt] += (amount - warm) * share

    def _take_units(self, tick: int, refused: dict[_Class, float]) -> None:
        """Give all that wait the same share of what is left: the order among them is chance."""
        demand: dict[str, float] = defaultdict(float)
        for waiting in self._waiting:
            for bucket, units in self._herd.works[waiting.kind[0]].units.items():
                demand[bucket] += units * waiting.amount
        shares = {
            bucket: min(1.0, self._room.buckets.get(bucket, math.inf) * TICK / units)
            for bucket, units in demand.items()
            if units
        }
        for bucket, share in shares.items():
            if share < 1 - _ROUNDING:
                self._course.note(bucket, tick * TICK, demand[bucket], demand[bucket] * share)
        taken = dict.fromkeys(self._buckets(), 0.0)
        for waiting in self._waiting:
            self._take(tick, waiting, shares, taken)
        for bucket, units in taken.items():
            self._course.taken[bucket].append(units)
        self._give_up(tick, refused)

    def _take(self, tick: int, waiting: _Waiting, shares: Mapping[str, float], taken: dict[str, float]) -> None:
        work = self._herd.works[waiting.kind[0]]
        share = min((shares.get(bucket, 1.0) for bucket in work.units), default=1.0)
        for bucket, units in work.units.items():
            taken[bucket] += units * waiting.amount * share
        self._done[tick + max(1, round(work.seconds / TICK))][waiting.kind] += waiting.amount * share
        waiting.amount *= 1 - share

    def _buckets(self) -> set[str]:
        return {bucket for work in self._herd.works for bucket in work.units}

    def _give_up(self, tick: int, refused: dict[_Class, float]) -> None:
        kept: deque[_Waiting] = deque()
        for waiting in self._waiting:
            if (tick - waiting.since) * TICK >= BUDGET_SECONDS:
                self._release(waiting.kind[0], waiting.amount)
                refused[waiting.kind] += waiting.amount
            elif waiting.amount > _NOBODY:
                kept.append(waiting)
            else:
                self._done[tick + 1][waiting.kind] += waiting.amount
        self._waiting = kept

    def _send_again(self, tick: int, work: int, attempt: int, amount: float) -> None:
        """Send refused requests again; jitter spreads them over the ticks of a second."""
        if attempt == ATTEMPTS:
            self._course.lost += amount
            return
        ticks = round(JITTER / TICK)
        first = tick + max(1, round(pause(attempt) / TICK))
        for later in range(first, first + ticks):
            self._arriving[later][work, attempt + 1] += amount / ticks
