"""Lives over Lockstep beside a loop of botocore calls that asks the same engine for the same."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from statistics import median
from typing import Any, Final

from botocore import xform_name

from bench.load.generating import generate
from bench.load.generator import HEARTBEATS
from bench.load.load import Kind, Load
from bench.load.lockstep import LOG, as_server
from bench.load.loop import Life
from bench.load.preparing import launch
from bench.load.reports import INCREMENT
from bench.load.server import Server
from bench.row import Row, Section
from bench.scale.life import Caller
from local.template import ROOT
from local.workers import usual
from lockstep.dynamodb.client import connection
from lockstep.task_instance.item import InstanceKey, TaskInstance
from sim import requests
from sim.client import Client
from sim.system import MODULES, system

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
    with _server() as (server, endpoint), Client(server.url) as client:
        for _ in range(passes):
            for clients, rates in found.items():
                fresh = iter(launch(server, client, 2 * lives + 1).instance_ids)
                ours = generate(Load(Kind.LIVES, server.url, clients, list(islice(fresh, lives))))
                made = _calls(next(fresh))
                seconds = _loop(endpoint, clients, [_life(made, each) for each in fresh])
                rates.append((ours.per_second, lives * REQUESTS / seconds))
    rows = [_row(clients, rates) for clients, rates in found.items()]
    calls = ", ".join(f"{number} {name}" for name, number in _tally(made).items())
    said = (
        f"A hot life over Lockstep with {usual()} workers, and the calls that it makes of DynamoDB ({calls}) in a loop"
        " by botocore with its default settings: one process, a thread and a connection a client, the same engine, in"
        f" turn, {passes} times. The median of the ratios counts. The loop speaks no HTTP with a client and validates"
        " nothing; the load generator takes processor time too."
    )
    return Section("Beside a loop of botocore", said, rows)


@contextmanager
def _server() -> Iterator[tuple[Server, str]]:
    with system(LOG, logs_to_file=True) as running:
        yield as_server(running), running.endpoint


def _row(clients: int, rates: Sequence[tuple[float, float]]) -> Row:
    ratio = median(ours / loop for ours, loop in rates)
    ours, loop = (median(each) for each in zip(*rates, strict=True))
    shown = f"{ratio:.2f} ({ours:.0f} / {loop:.0f} requests/s)"
    return Row(f"hot life, {clients} clients, beside the loop", shown, f"≥ {AT_LEAST}", ratio >= AT_LEAST)


def _calls(instance_id: int) -> Life:
    """The calls of an instance's life, as the functions make them in this process."""
    made: Life = []
    own = TaskInstance.key(_key(instance_id)).pk

    def remember(params: dict[str, Any], model: Any, **_: Any) -> None:
        if own in (call := json.dumps(params)):  # others may work in this process
            made.append((xform_name(model.name), json.loads(call)))

    events = connection().client.meta.events
    events.register("before-parameter-build.dynamodb", remember)
    try:
        caller = Caller()
        for request in requests.live(instance_id, HEARTBEATS, INCREMENT):
            caller.send(request)
    finally:
        events.unregister("before-parameter-build.dynamodb", remember)
    for _, arguments in made:
        arguments.pop("ClientRequestToken", None)  # of one transaction; botocore makes another for each
    return [(method, json.loads(json.dumps(arguments).replace(own, "TASK#<task>"))) for method, arguments in made]


def _life(made: Life, instance_id: int) -> Life:
    """The same calls about another instance."""
    own = TaskInstance.key(_key(instance_id)).pk
    return [(method, json.loads(json.dumps(arguments).replace("TASK#<task>", own))) for method, arguments in made]


def _key(instance_id: int) -> InstanceKey:
    return InstanceKey(*divmod(instance_id, 1000))


def _tally(made: Life) -> dict[str, int]:
    """How often each method is called. A read that goes beside a write comes before it or after it."""
    return dict(sorted(Counter(method for method, _ in made).items()))


def _loop(endpoint: str, clients: int, lives: list[Life]) -> float:
    said = subprocess.run(
        [sys.executable, "-m", "bench.load.loop"],
        cwd=ROOT,
        env=os.environ | MODULES,
        input=json.dumps({"endpoint": endpoint, "clients": clients, "lives": lives}),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    return float(said.stdout)
