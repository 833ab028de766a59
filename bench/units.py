"""Measure the functions' DynamoDB requests and capacity units, as the embedded engine reports them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from bench.row import Row, Section
from bench.scale.costs import ROLES, STEP_INDEX, TASK, Step
from bench.scale.life import record_here
from lockstep.array.queue import TASKS_PER_TRANSACTION

HEARTBEATS: Final = (0, 5, 50)
WRITTEN_TARGET: Final = 29
"""With the change feed of the client that follows the workflow: one more than without it."""
READ_TARGET: Final = 2
OF_MANY: Final = ("queue", "instantiate", "launch")
OF_ONE: Final = ("look up", "log_running", "log_done")
BESIDE: Final = ("bind tasks", "distributor ids", "heartbeats of the launched")
TOGETHER: Final = 2 * TASKS_PER_TRANSACTION
"""The instances in a batch."""


def routes(taken: Mapping[str, Mapping[str, float]]) -> Section:
    """List the requests and units of each event."""
    rows = [
        Row(
            event,
            f"{units['dynamodb_requests']:g} requests, {units['write_units']:g} write units,"
            f" {units['read_units']:g} read units",
        )
        for event, units in taken.items()
    ]
    text = (
        "One event from events/ for each function, on the table of events/seed.json. tests/routes/test_cost.py"
        " asserts each function's usual case; docs/data-model.md says where each unit goes."
    )
    return Section("DynamoDB, by route", text, rows)


def lives() -> Section:
    """List the requests and units of an instance from queuing to DONE with output, with others in its batch."""
    steps = {step.name: step for step in record_here(TOGETHER)}
    text = (
        f"One of {TOGETHER} instances in a batch: the units of its own requests, and of its own items in requests about"
        " the whole batch. Its share of the items of the batch, the array and the run is in brackets; a larger batch"
        " makes it smaller."
    )
    return Section("DynamoDB, by life", text, [*(_life(steps, number) for number in HEARTBEATS), *_beside(steps)])


def _beside(steps: Mapping[str, Step]) -> Iterator[Row]:
    """Yield the steps that every life has once but that the targets leave out."""
    for name in BESIDE:
        written, read = (_each(units, [steps[name]]) for units in (Step.written, Step.read))
        yield Row(f"not included: {name}", f"{written:.2f} write units, {read:.2f} read units")


def _life(steps: Mapping[str, Step], heartbeats: int) -> Row:
    together, alone = (
        [steps[name] for name in OF_MANY],
        [steps[name] for name in (*OF_ONE, *["heartbeat"] * heartbeats)],
    )
    written = _each(Step.written, together, (TASK, STEP_INDEX)) + _each(Step.written, alone)
    read = _each(Step.read, together, (TASK,)) + _each(Step.read, alone)
    shared = [_each(units, together) + _each(units, alone) for units in (Step.written, Step.read)]
    requests = sum(step.requests / step.instances for step in (*together, *alone))
    result = (
        f"{requests:.2f} requests, {written:.2f} write units (and {shared[0] - written:.2f} shared),"
        f" {read:.2f} read units (and {shared[1] - read:.2f} shared)"
    )
    if heartbeats != 5:  # noqa: PLR2004  # the number that the targets are stated for
        return Row(f"a life with {heartbeats} heartbeats", result)
    met = round(written, 6) <= WRITTEN_TARGET and round(read, 6) <= READ_TARGET
    return Row(f"a life with {heartbeats} heartbeats", result, f"≤ {WRITTEN_TARGET} written, ≤ {READ_TARGET} read", met)


def _each(units: Callable[..., float], steps: Iterable[Step], roles: Iterable[str] = ROLES) -> float:
    """Return the units of one instance in partitions with these roles."""
    return sum(units(step, roles) / step.instances for step in steps)
