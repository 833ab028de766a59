"""Run a load in a process of its own, and measure the processor time that it costs the server."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import NamedTuple

from bench.load import processor
from bench.load.load import Found, Load
from bench.load.server import Server
from local.template import ROOT
from sim.system import MODULES


class Cost(NamedTuple):
    """Processor time, in seconds."""

    server: float
    engine: float | None
    """None if the engine is a part of the server."""


class GeneratorError(Exception):
    """The generator failed; standard error says why."""


def generate(load: Load) -> Found:
    """Carry it out in a process of its own.

    Raises:
        GeneratorError: it did not get to its end.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "bench.load.generator"],
        cwd=ROOT,
        env=os.environ | MODULES,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,  # Ctrl-C is the benchmark's to handle
    ) as process:
        try:
            output, _ = process.communicate(json.dumps(asdict(load)))
        finally:
            process.kill()
    if process.returncode:
        raise GeneratorError(f"the load generator ended with {process.returncode}")
    return Found(**json.loads(output))


def generate_on(server: Server, load: Load) -> tuple[Found, Cost | None]:
    """Carry it out, and measure what it cost the server. The cost is None where /proc does not tell."""
    if not processor.counts():
        return generate(load), None
    pids = [server.pid] if server.engine is None else [server.pid, server.engine]
    before = [processor.seconds(pid) for pid in pids]
    result = generate(load)
    taken = [processor.seconds(pid) - earlier for pid, earlier in zip(pids, before, strict=True)]
    return result, Cost(taken[0], None if server.engine is None else taken[1])
