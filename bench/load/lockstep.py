"""Lockstep as `make run` serves it: a gateway's process with the functions in it, and an engine's."""

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.load import processor
from bench.load.client import Client
from bench.load.peer import last_line
from bench.load.system import MODULES, Batch, Ground, Pair, System
from local.engine import ENDPOINT_VARIABLE
from local.template import ROOT

LOG: Final = {"POWERTOOLS_LOG_LEVEL": "INFO", "POWERTOOLS_METRICS_NAMESPACE": "Lockstep"}
"""A line for each request, with its metrics, as template.yaml has it."""
_WORKFLOW_IDS: Final = itertools.count(time.time_ns() // 1000)


@contextmanager
def lockstep() -> Iterator[System]:
    """A new one with an empty table of its own. It ends with the block.

    Raises:
        RuntimeError: it does not start.
    """
    environment = {name: value for name, value in os.environ.items() if name != ENDPOINT_VARIABLE} | LOG
    with (
        tempfile.NamedTemporaryFile() as log,
        subprocess.Popen(
            [sys.executable, "-m", "local.api_main"],
            cwd=ROOT,
            env=environment | MODULES,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C is the benchmark's to handle
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        engine = None
        try:
            url = process.stdout.readline().strip()
            if not url:
                raise RuntimeError(f"Lockstep did not start: {last_line(Path(log.name))}")
            engine = processor.children(process.pid)[0] if processor.counts() else None
            yield System(f"{url}/api/v3", process.pid, engine, _lay_ground, _pairs)
        finally:
            process.stdin.close()
            process.wait()
            while engine and processor.runs(engine):  # it ends by itself when its parent has
                time.sleep(0.01)


def _lay_ground(_: Client, tasks: int) -> Ground:
    """It takes the ids of workflows, template versions and nodes as they come."""
    return Ground(next(_WORKFLOW_IDS), 1, list(range(1, tasks + 1)))


def _pairs(client: Client, _: Batch, tasks: Mapping[int, int]) -> dict[int, Pair]:
    found = {each: client.ask("GET", f"/task_instance/{each}") for each in tasks}
    return {each: (whole["task_instance"]["status"], whole["task"]["status"]) for each, whole in found.items()}
