"""What functions take of DynamoDB, by its own account."""

from collections.abc import Iterable, Mapping
from typing import Final

from bench.recording import AUTHORIZER, Recorder
from bench.row import Row, Section
from bench.scale.costs import Step
from bench.scale.record import recorded_at
from local.meter import Meter
from lockstep.queueing import TASKS_PER_TRANSACTION

HEARTBEATS: Final = (0, 5, 50)
WRITTEN_TARGET: Final = 28
READ_TARGET: Final = 2
OF_MANY: Final = ("queue", "instantiate", "launch")
OF_ONE: Final = ("look up", "log_running", "log_done")
TOGETHER: Final = 2 * TASKS_PER_TRANSACTION
"""Instances in a batch."""


def routes(recorder: Recorder, meter: Meter, names: Iterable[str]) -> Section:
    """The first event of each function."""
    rows = [_row(recorder, meter, name) for name in names if name != AUTHORIZER]
    said = (
        "The first event of each function in events/, on the table of events/seed.json. The usual case of each is"
        " asserted by tests/integration/test_cost.py; docs/data-model.md says where each unit goes."
    )
    return Section("DynamoDB, by route", said, rows)


def _row(recorder: Recorder, meter: Meter, name: str) -> Row:
    recorder.prepare()
    before = meter.usage()
    recorder.ask(name)
    taken = {what: count - before[what] for what, count in meter.usage().items()}
    units = f"{taken['write_units']:g} write units, {taken['read_units']:g} read units"
    return Row(name, f"{taken['dynamodb_requests']:g} requests, {units}")


def lives(endpoint: str) -> Section:
    """Queued, taken and launched with others, looked up, run, done with its output."""
    steps = {step.name: step for step in recorded_at(endpoint, TOGETHER)}
    batch = _of_the_batch() / TOGETHER
    said = (
        f"One of {TOGETHER} in a batch, its share of what is taken for them together included. The batch's own items"
        f" take {batch:.2f} write units of it, which the target does not count."
    )
    return Section("DynamoDB, by life", said, [_life(steps, number, batch) for number in HEARTBEATS])


def _of_the_batch() -> int:
    """Its number, its size in each transaction, and its entry in the run index."""
    return 1 + 2 * (TOGETHER // TASKS_PER_TRANSACTION) + 1


def _life(steps: Mapping[str, Step], heartbeats: int, batch: float) -> Row:
    named = [steps[name] for name in (*OF_MANY, *OF_ONE, *["heartbeat"] * heartbeats)]
    written = sum(step.written() / step.instances for step in named)
    read = sum(step.read() / step.instances for step in named)
    requests = sum(step.requests / step.instances for step in named)
    result = f"{requests:.2f} requests, {written:.2f} write units, {read:.2f} read units"
    if heartbeats != 5:  # noqa: PLR2004  # that the targets speak of
        return Row(f"a life with {heartbeats} heartbeats", result)
    met = written - batch <= WRITTEN_TARGET + 1e-9 and read <= READ_TARGET
    return Row(f"a life with {heartbeats} heartbeats", result, f"≤ {WRITTEN_TARGET} written, ≤ {READ_TARGET} read", met)
