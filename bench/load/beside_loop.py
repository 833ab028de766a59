"""Lives over Lockstep beside a loop of botocore calls that asks the same engine for the same."""

import json
import os
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from statistics import median
from typing import Any, Final

from botocore import xform_name

from bench.load.generating import generate
from bench.load.generator import HEARTBEATS
from bench.load.load import Kind, Load
from bench.load.lockstep import lockstep
from bench.load.preparing import launch
from bench.load.reports import INCREMENT
from bench.row import Row, Section
from bench.scale.life import call
from local.engine import ENDPOINT_VARIABLE
from local.workers import usual
from lockstep.dynamodb.client import connection
from lockstep.task.item import Task
from lockstep.task_instance.item import INSTANCES_PER_TASK
from sim import requests
from sim.client import Client

Life = list[tuple[str, dict[str, Any]]]
"""A life's calls in their order: the client's method and its arguments."""

CLIENTS: Final = (8, 32)
LIVES: Final = 120
"""Of each measurement."""
PASSES: Final = 3
AT_LEAST: Final = 0.9
REQUESTS: Final = HEARTBEATS + 2
"""Of a life."""


def measure_loop(of_clients: Sequence[int] = CLIENTS, lives: int = LIVES, passes: int = PASSES) -> Section:
    """Measure both in turn on one engine."""
    found: dict[int, list[tuple[float, float]]] = {clients: [] for clients in of_clients}
    with lockstep(usual()) as server, Client(server.url) as client:
        for _ in range(passes):
            for clients, rates in found.items():
                fresh = iter(launch(client, 2 * lives + 1).instance_ids)
                ours = generate(Load(Kind.LIVES, server.url, clients, list(islice(fresh, lives))))
                made = _calls(first := next(fresh))
                same = [_life(made, first, each) for each in fresh]
                loop = generate(Load(Kind.CALLS, os.environ[ENDPOINT_VARIABLE], clients, same))
                rates.append((ours.per_second, lives * REQUESTS / loop.seconds))
    rows = [_row(clients, rates) for clients, rates in found.items()]
    calls = ", ".join(f"{number} {name}" for name, number in _tally(made).items())
    text = (
        f"A hot life over Lockstep with {usual()} workers, and the calls that it makes of DynamoDB ({calls}) in a loop"
        " by botocore with its default settings but no retries: one process, a thread and a connection a client, the"
        f" same engine, in turn, {passes} times. The median of the ratios counts. The loop speaks no HTTP with a"
        " client and validates nothing; the load generator takes processor time too."
    )
    return Section("Beside a loop of botocore", text, rows)


def _row(clients: int, rates: Sequence[tuple[float, float]]) -> Row:
    ratio = median(ours / loop for ours, loop in rates)
    ours, loop = (median(each) for each in zip(*rates, strict=True))
    shown = f"{ratio:.2f} ({ours:.0f} / {loop:.0f} requests/s)"
    return Row(f"hot life, {clients} clients, beside the loop", shown, f"≥ {AT_LEAST}", ratio >= AT_LEAST)


def _calls(instance_id: int) -> Life:
    """The calls of an instance's life, as the functions make them in this process."""
    made: Life = []

    def remember(params: dict[str, Any], model: Any, **_: Any) -> None:
        if _task(instance_id) in (call := json.dumps(params)):  # others may work in this process
            made.append((xform_name(model.name), json.loads(call)))

    events = connection().client.meta.events
    events.register("before-parameter-build.dynamodb", remember)
    try:
        for request in requests.live(instance_id, HEARTBEATS, INCREMENT):
            call(request)
    finally:
        events.unregister("before-parameter-build.dynamodb", remember)
    for _, arguments in made:
        arguments.pop("ClientRequestToken", None)  # of one transaction; botocore makes another for each
    return made


def _life(made: Life, of: int, other: int) -> Life:
    """The calls of an instance's life, made about another instance."""
    life: Life = json.loads(json.dumps(made).replace(_task(of), _task(other)))
    return life


def _task(instance_id: int) -> str:
    return Task.partition(instance_id // INSTANCES_PER_TASK)


def _tally(made: Life) -> dict[str, int]:
    """Count the calls of each method. A read that goes beside a write comes before it or after it."""
    return dict(sorted(Counter(method for method, _ in made).items()))
