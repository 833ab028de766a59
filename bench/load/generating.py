"""A load, carried out by a process of its own, and what it took of the system's processor."""

import json
import os
import subprocess
import sys
from typing import NamedTuple

from bench.load import processor
from bench.load.load import Found, Load
from bench.load.system import MODULES, System
from local.template import ROOT


class Cost(NamedTuple):
    """Processor time, in seconds."""

    server: float
    engine: float | None
    """None: it is a part of the server."""


class GeneratorError(Exception):
    """The generator failed; why, it has said on standard error."""


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
        text=True,
        start_new_session=True,  # Ctrl-C is the benchmark's to handle
    ) as process:
        try:
            said, _ = process.communicate(json.dumps(load.to_json()))
        finally:
            process.kill()
    if process.returncode:
        raise GeneratorError(f"the load generator ended with {process.returncode}")
    return Found(**json.loads(said))


def generate_on(system: System, load: Load) -> tuple[Found, Cost | None]:
    """The same, and what it cost the system; None where the machine does not tell."""
    if not processor.counts():
        return generate(load), None
    server, engine = _taken(system)
    result = generate(load)
    server_after, engine_after = _taken(system)
    return result, Cost(
        server_after - server, None if engine is None or engine_after is None else engine_after - engine
    )


def _taken(system: System) -> Cost:
    engine = None if system.engine is None else processor.seconds(system.engine)
    return Cost(processor.seconds(system.server, without=system.engine), engine)
