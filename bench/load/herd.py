"""A herd: worker nodes that all start within seconds on Lockstep's local system."""

from typing import Final

from bench.load.facts import exactly, facts, rows
from bench.load.generating import generate_on
from bench.load.load import Kind, Load
from bench.load.lockstep import lockstep
from bench.load.measured import Measured
from bench.load.preparing import launch
from bench.load.reports import DONE
from bench.row import Row, Section
from lockstep.task_instance.item import INSTANCES_PER_TASK
from sim.client import Client

WORKERS: Final = 1000
SECONDS_TO_START: Final = 3.0
"""From the first worker's start to the last one's."""


def measure_herd(workers: int = WORKERS, seconds_to_start: float = SECONDS_TO_START) -> Section:
    """Let each worker node send log_running, one heartbeat and log_done, with a thread and a connection of its own."""
    with lockstep() as server, Client(server.url) as client:
        batch = launch(client, workers)
        load = Load(Kind.HERD, server.url, workers, batch.instance_ids, seconds_to_start)
        measured = Measured(*generate_on(server, load))
        tasks = {each: each // INSTANCES_PER_TASK for each in batch.instance_ids}
        done = sum(pair == (DONE, DONE) for pair in server.pairs(client, batch, tasks).values())
    ours = [
        *facts("herd", Kind.HERD, measured),
        exactly("herd: tasks DONE at the end", done, workers),
        Row("herd: most workers under way at once", f"{measured.found.most_at_once:,}"),
    ]
    text = f"{workers:,} workers start within {seconds_to_start:.0f} s on Lockstep's local system."
    return Section("A herd", text, rows(ours, {}))
