"""A herd: worker nodes that all start within seconds on Lockstep's local system.

`python -m bench.load.herd [--workers N]` measures it alone.
"""

import argparse
from typing import Final

from bench.document import show
from bench.load.client import Client
from bench.load.facts import exactly, facts, rows
from bench.load.generating import generate_on
from bench.load.load import Kind, Load
from bench.load.lockstep import lockstep
from bench.load.measured import Measured
from bench.load.preparing import launch
from bench.load.reports import DONE
from bench.load.system import Batch, System
from bench.row import Row, Section
from lockstep.task_instance.item import INSTANCES_PER_TASK

WORKERS: Final = 1000
SECONDS_TO_START: Final = 3.0
"""From the first worker's start to the last one's."""
_MOST_WORKERS: Final = 1000
"""One batch."""


def measure_herd(workers: int = WORKERS, seconds_to_start: float = SECONDS_TO_START) -> Section:
    """Worker nodes, each with a thread and a connection of its own: log_running, one heartbeat, log_done."""
    with lockstep() as system, Client(system.url) as client:
        batch = launch(system, client, workers)
        load = Load(Kind.HERD, system.url, workers, list(batch.task_instance_ids), seconds_to_start)
        found, cost = generate_on(system, load)
        done = _tasks_done(system, client, batch)
    ours = [
        *facts("herd", Kind.HERD, Measured(found, cost)),
        exactly("herd: tasks DONE at the end", done, workers),
        Row("herd: most workers under way at once", f"{found.most_at_once:,}"),
    ]
    said = f"{workers:,} workers start within {seconds_to_start:.0f} s on Lockstep's local system."
    return Section("A herd", said, rows(ours, {}))


def _tasks_done(system: System, client: Client, batch: Batch) -> int:
    tasks = {each: each // INSTANCES_PER_TASK for each in batch.task_instance_ids}
    return sum(pair == (DONE, DONE) for pair in system.pairs(client, batch, tasks).values())


def _workers(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= _MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {_MOST_WORKERS:,}")
    return int(text)


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=_workers, default=WORKERS, help=f"1 to {_MOST_WORKERS:,}")
    show(measure_herd(parser.parse_args().workers))


if __name__ == "__main__":
    main()
