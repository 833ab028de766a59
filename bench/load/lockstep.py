"""Lockstep as `make run` serves it: a gateway's process with the functions in it, and an engine's."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from bench.load.server import Batch, Pair, Server
from sim import requests
from sim.client import Client
from sim.system import system

LOG: Final = {"POWERTOOLS_LOG_LEVEL": "INFO", "POWERTOOLS_METRICS_NAMESPACE": "Lockstep"}
"""A line for each request, with its metrics, as template.yaml has it."""


@contextmanager
def lockstep(workers: int = 1) -> Iterator[Server]:
    """Run a new one with so many workers and an empty table of its own until the block ends.

    Raises:
        EngineError: it does not start.
    """
    with system(LOG, logs_to_file=True, workers=workers) as running:
        assert running.engine
        yield Server(running.api, running.gateway.pid, running.engine.pid, _pairs)


def _pairs(client: Client, _: Batch, tasks: Mapping[int, int]) -> dict[int, Pair]:
    found = {each: client.ask(requests.get_instance(each)) for each in tasks}
    return {each: (whole["task_instance"]["status"], whole["task"]["status"]) for each, whole in found.items()}
