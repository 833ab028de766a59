"""The simulated herds, and the limits that they meet."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bench.scale import limits
from bench.scale.costs import (
    ARRAY,
    BATCH,
    COUNTER,
    FEED_INDEX,
    INDEXES,
    LISTED_INDEX,
    LOOKUP,
    RESOURCES,
    ROLES,
    RUN,
    RUN_INDEX,
    STEP_INDEX,
    WORKFLOW,
    Step,
)
from bench.scale.herd import CONCURRENCY, GATEWAY, SCALING, Course, Herd, Room, Simulation, Work
from local import prices
from lockstep.task_instance.item import STEPS_PER_PARTITION

WORKERS: Final = 50_000
WITHIN: Final = 10.0
"""Seconds."""
WRITES: Final = "writes"
READS: Final = "reads"
TABLE: Final = "table"

_ROUTES: Final = {
    "cluster": "GET cluster/{name}",
    "look up": "GET get_array_task_instance_id",
    "log_running": "POST log_running",
    "heartbeat": "POST log_report_by",
    "log_done": "POST log_done",
    "log_error": "POST log_done",
}
"""The route in prices.py that has a step's processor time, by the beginning of the step's name."""


def bucket(of: str, kind: str) -> str:
    """Name the bucket that units are taken from.

    >>> bucket("index run", "writes")
    'index run, writes'
    """
    return f"{of}, {kind}"


def work(step: Step) -> Work:
    """Make a worker's request from a measured step.

    Raises:
        ValueError: it spoke of several instances.
    """
    if step.instances != 1:
        raise ValueError(f"{step.name} is no request of one worker")
    [route] = [route for start, route in _ROUTES.items() if step.name.startswith(start)]
    [use] = [use for use in prices.life(1) if use.route == route]
    return Work(step.name, use.milliseconds / 1000, use.starting / 1000, _units(step))


def _units(step: Step) -> dict[str, float]:
    of_table = [role for role in step.units if role not in INDEXES]
    units = {bucket(TABLE, WRITES): step.written(of_table), bucket(TABLE, READS): step.read(of_table)}
    for role in step.units:
        units |= {bucket(role, WRITES): step.written([role]), bucket(role, READS): step.read([role])}
    return {name: amount for name, amount in units.items() if amount}


def partitions(workers: float) -> dict[str, float]:
    """Count the partition keys of each role for one array of so many workers in one run. They are used evenly."""
    shared = dict.fromkeys((ARRAY, RUN, WORKFLOW, RESOURCES, COUNTER, RUN_INDEX, FEED_INDEX, LISTED_INDEX), 1.0)
    own = dict.fromkeys(set(ROLES) - shared.keys(), max(1.0, workers))
    several = {BATCH: math.ceil(workers / prices.BATCH), STEP_INDEX: math.ceil(workers / STEPS_PER_PARTITION)}
    return own | shared | {role: float(count) for role, count in several.items()} | {LOOKUP: 1.0}


def buckets(workers: float, table_writes: float, table_reads: float) -> dict[str, float]:
    """Return the units a second that an array of so many workers may take."""
    there = {bucket(TABLE, WRITES): table_writes, bucket(TABLE, READS): table_reads}
    for role, count in partitions(workers).items():
        there |= {
            bucket(role, WRITES): count * limits.PARTITION_WRITES.amount,
            bucket(role, READS): count * limits.PARTITION_READS.amount,
        }
    return there


def room(workers: float, table_writes: float, table_reads: float) -> Room:
    """Return the limits of a new account, with the template's defaults."""
    return Room(
        rate=min(limits.GATEWAY_RATE.amount, limits.STAGE_RATE.amount),
        burst=min(limits.GATEWAY_BURST.amount, limits.STAGE_BURST.amount),
        concurrency=limits.CONCURRENCY.amount,
        scaling=limits.SCALING.amount,
        buckets=buckets(workers, table_writes, table_reads),
    )


@dataclass(frozen=True, slots=True)
class Scenario:
    """A herd and the limits that it meets."""

    what: str
    herd: Herd
    room: Room

    def run(self) -> Course:
        """Simulate it."""
        return Simulation(self.herd, self.room).run()


def herd(steps: Mapping[str, Step], names: Sequence[str], workers: float = WORKERS) -> Herd:
    """Make a herd whose workers send these steps one after the other."""
    return Herd(workers, WITHIN, [work(steps[name]) for name in names])


START: Final = ("cluster", "look up", "log_running")
START_BY_RUN: Final = ("cluster", "look up, token of one run", "log_running")
START_ADJUSTED: Final = ("cluster", "look up", "log_running, resources adjusted")
START_SOON: Final = ("cluster", "look up", "log_running, due soon")
COME_BACK: Final = ("heartbeat of one in triage",)
LEAVE: Final = ("log_error_worker_node of a stopped one",)
GROWN: Final = (limits.TABLE_WRITES.amount, limits.TABLE_READS.amount)
"""The capacity of a table that has had this much traffic before."""
NEW: Final = (limits.NEW_TABLE_WRITES.amount, limits.NEW_TABLE_READS.amount)


SHARDS: Final = 16
"""The number of keys in a design that splits the run index's key."""


def scenarios(steps: Mapping[str, Step]) -> list[Scenario]:
    """List all herds."""
    usual, by_run, soon = (herd(steps, names) for names in (START, START_BY_RUN, START_SOON))
    back = herd(steps, COME_BACK)
    grown, new = room(WORKERS, *GROWN), room(WORKERS, *NEW)
    more = replace(grown, concurrency=5_000, rate=20_000, burst=10_000)
    return [
        Scenario("10,000 workers, new table", herd(steps, START, 10_000), room(10_000, *NEW)),
        Scenario("new table", usual, new),
        Scenario("grown table", usual, grown),
        Scenario("grown table, tokens of one run", by_run, grown),
        Scenario("grown table, reports good for half of HeartbeatBuffer", soon, grown),
        Scenario("grown table, 5,000 executions, 20,000 requests/s", usual, more),
        Scenario("grown table, all in triage, heartbeats come back", back, grown),
        Scenario(
            f"grown table, all in triage, {SHARDS} keys for a run's index", back, spread(grown, RUN_INDEX, SHARDS)
        ),
    ]


def spread(there: Room, role: str, keys: int) -> Room:
    """Return a room in which a role has this many partitions, evenly used, for each one today."""
    wider = {bucket(role, kind): there.buckets[bucket(role, kind)] * keys for kind in (WRITES, READS)}
    return replace(there, buckets={**there.buckets, **wider})


MOST: Final = 10_000_000
"""The search stops at a limit that holds this many workers."""
_EXACT: Final = 1.005


def largest(steps: Mapping[str, Step], names: Sequence[str], limit: str, table: tuple[float, float]) -> float:
    """Search the largest herd that one limit alone holds without refusing anybody, to half a percent."""
    low, high = 1.0, float(MOST)
    if not _bites(steps, names, limit, table, high):
        return high
    while high / low > _EXACT:
        middle = math.sqrt(low * high)
        if _bites(steps, names, limit, table, middle):
            high = middle
        else:
            low = middle
    return low


def _bites(
    steps: Mapping[str, Step], names: Sequence[str], limit: str, table: tuple[float, float], workers: float
) -> bool:
    there = only(limit, room(workers, *table))
    return bool(Simulation(herd(steps, names, workers), there).run(until_bitten=True).first)


def only(limit: str, there: Room) -> Room:
    """Return a room without any limit but one."""
    return Room(
        rate=there.rate if limit == GATEWAY else math.inf,
        burst=there.burst if limit == GATEWAY else math.inf,
        concurrency=there.concurrency if limit == CONCURRENCY else math.inf,
        scaling=there.scaling if limit == SCALING else math.inf,
        buckets={limit: there.buckets[limit]} if limit in there.buckets else {},
    )
