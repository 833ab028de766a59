"""The tables of docs/scale.md."""

import math
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from bench.scale import day, herd, limits, scenarios
from bench.scale.costs import (
    ARRAY,
    BATCH,
    COUNTER,
    FEED_INDEX,
    INDEXES,
    LISTED_INDEX,
    RESOURCES,
    RUN,
    RUN_INDEX,
    WORKFLOW,
    Step,
    load,
)
from bench.scale.herd import CONCURRENCY, GATEWAY, SCALING, Course
from bench.scale.scenarios import READS, TABLE, WITHIN, WORKERS, WRITES, Scenario, bucket
from local import prices
from local.tables import Tables, filled, with_columns
from local.template import ROOT
from sim.client import ATTEMPTS, JITTER

Row = tuple[object, ...]

DOCUMENT: Final = ROOT / "docs/scale.md"
_OF_ALL: Final = (ARRAY, RUN, WORKFLOW, RUN_INDEX, FEED_INDEX, LISTED_INDEX, RESOURCES, COUNTER)
"""The roles whose partition all instances of an array or a run share."""
SHARED: Final = (*_OF_ALL, BATCH)
_WORTH_TELLING: Final = 0.005
_LIMITS: Final = {
    GATEWAY: "API Gateway's rate and burst",
    CONCURRENCY: "Lambda's concurrency",
    SCALING: "Lambda's scaling rate",
    bucket(TABLE, WRITES): "the table's write units",
    bucket(TABLE, READS): "the table's read units",
}


@cache
def steps() -> dict[str, Step]:
    """Read the recording."""
    return load()


@cache
def courses() -> list[tuple[Scenario, Course]]:
    """Simulate every herd."""
    return [(scenario, scenario.run()) for scenario in scenarios.scenarios(steps())]


def name(limit: str) -> str:
    """Name a limit for people."""
    return _LIMITS.get(limit, f"partition of {limit}")


@with_columns("a second, unless said otherwise", "limit >", "can be raised", "source")
def of_limits() -> Iterator[Row]:
    """List AWS's limits."""
    for limit in limits.LIMITS:
        yield limit.what, f"{limit.amount:,.0f}", limit.raised, limit.source


@with_columns(
    "step",
    "instances >",
    "requests >",
    "write units, of which in indexes >",
    "read units >",
    "of whose partitions (write / read units)",
)
def of_steps() -> Iterator[Row]:
    """List the cost of each step."""
    for step in steps().values():
        whose = ", ".join(
            f"{role} {units.written:g} / {units.read:g}" + (f" in {units.partitions}" if units.partitions > 1 else "")
            for role, units in step.units.items()
        )
        written = f"{step.written():g}, {step.written(INDEXES):g}"
        yield step.name, step.instances or "", step.requests, written, f"{step.read():g}", whose


@with_columns(
    "step",
    "partition",
    "units for each instance",
    "most instances a second >",
    f"{WORKERS:,} in {WITHIN:.0f} s take of it >",
)
def of_shared() -> Iterator[Row]:
    """List the steps that load a shared partition more as a herd grows."""
    rows = [row for step in steps().values() if step.instances for row in _taken(step, step.instances, SHARED)]
    for rate, *what in sorted(rows):
        share = WORKERS / WITHIN / rate
        if share >= _WORTH_TELLING:
            bold = "**" if share > 1 else ""
            yield *what, f"{rate:,.0f}", f"{bold}{share:.0%}{bold}"


def _taken(step: Step, times: int, roles: Iterable[str]) -> Iterator[tuple[float, str, str, str]]:
    """Yield how often a second an array's partitions bear a step, and the units that it takes each time."""
    there = scenarios.partitions(WORKERS)
    for role in roles:
        for kind, units, limit in (
            ("write", step.written([role]), limits.PARTITION_WRITES),
            ("read", step.read([role]), limits.PARTITION_READS),
        ):
            if units:
                each = units / times
                yield there[role] * limit.amount / each, step.name, role, f"{each:.3g} {kind}"


@with_columns("partition", "units of the dearest call that speaks of no instance", "most such calls a second >")
def of_loops() -> Iterator[Row]:
    """List the dearest call that is about no instance, by role."""
    for role in _OF_ALL:
        calls = [row for step in steps().values() if not step.instances for row in _taken(step, 1, [role])]
        rate, step_name, _, units = min(calls)
        yield role, f"{step_name}: {units}", f"{rate:,.0f}"


@with_columns(
    "instances a day >",
    "in the busiest second >",
    "requests/s >",
    "executions at once >",
    "write units/s >",
    "first limit",
    "dollars a day >",
)
def of_days() -> Iterator[Row]:
    """Describe days of different size."""
    by_limit = {demand.limit: demand.each for demand in day.demands(steps())}
    for instances in day.DAYS:
        rate = instances * max(day.profile())
        asked = [rate * by_limit[limit] for limit in (limits.GATEWAY_RATE, limits.CONCURRENCY, limits.TABLE_WRITES)]
        cells = [f"{each:,.1f}" for each in (rate, *asked)]
        yield f"{instances:,}", *cells, _first(instances), f"{day.dollars(instances):,.2f}"


def _first(instances: float) -> str:
    bitten = [
        (second, demand)
        for demand in day.demands(steps())
        if (second := day.first_second(instances, demand)) is not None
    ]
    if not bitten:
        demand = min(day.demands(steps()), key=day.held)
        return f"none; nearest: {demand.limit.what}, {instances / day.held(demand):.1%}"
    second, demand = min(bitten, key=lambda each: each[0])
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    times = instances / day.held(demand)
    return f"{demand.limit.what}, from {clock} (second {second:,}); at noon {times:.1f} times what there is"


@with_columns("limit", "for each instance >", "instances a day that it holds >", "in the busiest second >")
def of_a_days_room() -> Iterator[Row]:
    """List how many instances a day each limit holds."""
    for demand in sorted(day.demands(steps()), key=day.held):
        held = day.held(demand)
        limit = f"{demand.limit.what}: {demand.limit.amount:,.0f}"
        yield limit, f"{demand.each:.3g}", f"{held / 1e6:,.1f} million", f"{held * max(day.profile()):,.0f}"


@with_columns(
    "herd",
    "first limit: when, and how many times what there was in that tick",
    "bite too",
    "503s for each worker >",
    "most attempts >",
    "half done, s >",
    "99 % >",
    "last >",
    "given up >",
    "hottest partition",
    "dollars >",
)
def of_herds() -> Iterator[Row]:
    """Describe what each herd meets."""
    for scenario, course in courses():
        first, *rest = sorted(course.first, key=lambda limit: course.first[limit])
        workers = scenario.herd.workers
        when = [f"{course.when(share):.0f}" for share in (0.5, 0.99, 1 - 0.5 / workers)]
        then = ", ".join(f"{name(limit)} ({course.first[limit]:.1f} s)" for limit in rest)
        bites = f"{name(first)}: {course.first[first]:.1f} s, {course.wanted[first]:.2g} times"
        answers = f"{sum(course.refused) / workers:.1f}", course.most_attempts
        ends = f"{course.lost:,.0f}", _hottest(scenario, course), f"{_dollars(scenario, course):.2f}"
        yield scenario.what, bites, then, *answers, *when, *ends


def _hottest(scenario: Scenario, course: Course) -> str:
    shares = {of: course.peak(of) / scenario.room.buckets[of] for of in course.taken if not of.startswith(TABLE)}
    of, share = max(shares.items(), key=lambda item: item[1])
    return f"{of}: {share:.2%}"


def _dollars(scenario: Scenario, course: Course) -> float:
    """Return the price of the herd's whole lives and of its refused requests."""
    return day.dollars(scenario.herd.workers) + sum(course.refused) * prices.GATEWAY.dollars / prices.MILLION


_HERDS: Final = {
    "start": scenarios.START,
    "start, tokens of one run": scenarios.START_BY_RUN,
    "start, resources adjusted": scenarios.START_ADJUSTED,
    "start, reports good for half of HeartbeatBuffer": scenarios.START_SOON,
    "heartbeats of all in triage": scenarios.COME_BACK,
    "errors of all that a resume stopped": scenarios.LEAVE,
}


@with_columns("limit, alone", "herd", f"workers within {WITHIN:.0f} s that it holds >", f"{WORKERS:,} are >")
def of_a_herds_room() -> Iterator[Row]:
    """List how large a herd each limit holds."""
    for limit in (SCALING, CONCURRENCY, GATEWAY):
        yield from _held("start", limit, scenarios.GROWN, name(limit))
    yield from _held("start", bucket(TABLE, WRITES), scenarios.NEW, "write units of a new table")
    yield from _held("start", bucket(TABLE, WRITES), scenarios.GROWN, "write units of a table, the quota")
    for what in tuple(_HERDS)[1:]:
        for limit in _shared_buckets(what):
            yield from _held(what, limit, scenarios.GROWN, name(limit))


def _shared_buckets(what: str) -> list[str]:
    units = {of for step in _HERDS[what] for of in scenarios.work(steps()[step]).units}
    return sorted(units & {bucket(role, kind) for role in SHARED for kind in (READS, WRITES)})


def _held(what: str, limit: str, table: tuple[float, float], label: str) -> Iterator[Row]:
    held = scenarios.largest(steps(), _HERDS[what], limit, table)
    shown = f"more than {held:,.0f}" if held >= scenarios.MOST else f"{_rounded(held):,.0f}"
    times = "" if held >= scenarios.MOST else f"{WORKERS / held:.2g} times"
    yield label, what, shown, times


def _rounded(number: float) -> float:
    """Round to two digits.

    >>> _rounded(12345)
    12000
    """
    return round(number, 1 - math.floor(math.log10(number)))


def of_assumptions() -> Iterator[str]:
    """List the assumptions."""
    start = scenarios.work(steps()["log_running"])
    yield f"- A day's instances begin by ((1 - cos) / 2)^{day.SHARPNESS}: none at midnight, at noon"
    yield f"  {day.peak_factor():.1f} times the mean. Each lives with {day.HEARTBEATS} heartbeats, and asks for all in"
    yield "  the second in which it begins. No arrays: herds come on top."
    yield f"- A herd is one array of one run, workers evenly over {WITHIN:.0f} s, in batches of {prices.BATCH};"
    yield "  partitions of one role are used evenly. No environment is there when it begins. The authorizer's"
    yield "  answer is remembered: the distributor's polls carry the same token."
    yield f"- A grown table has had {limits.TABLE_WRITES.amount:,.0f} units a second before; a new one has not."
    yield f"- A start takes {prices.START_CPU_MS} ms of processor time, {start.starting:.1f} s at 512 MB (decision 18"
    yield f"  measured 150 to 300 ms); then log_running takes {start.seconds * 1000:.0f} ms, {prices.WAIT_MS} of them"
    yield "  for DynamoDB. Lambda may give a start more processor than that."
    yield "- DynamoDB throttles to the unit and has no burst capacity; of what waits inside functions all get the"
    yield "  same share."
    yield f"- A client sends again {ATTEMPTS - 1} times, after 1, 2, 4, ... 256 s and up to"
    yield f"  {JITTER:.0f} s more: jobmon_core's tenacity settings. That it gives up after 300 s too is left"
    yield "  out: it would have one attempt less."
    yield "- Dollars are for whole lives, without binding and without API Gateway's rebate for volume; a request that"
    yield "  is turned away is taken to cost what one that is not costs API Gateway."
    yield f"- Ticks of {herd.TICK} s; expected numbers, nothing is drawn."


TABLES: Final[Tables] = {
    "limits": of_limits,
    "steps": of_steps,
    "shared": of_shared,
    "loops": of_loops,
    "days": of_days,
    "day_room": of_a_days_room,
    "herds": of_herds,
    "herd_room": of_a_herds_room,
    "assumptions": of_assumptions,
}


def document() -> str:
    """Return docs/scale.md: its own words with the tables of today."""
    return filled(DOCUMENT.read_text(encoding="utf-8"), TABLES)
