"""Jobmon's published server, in an environment of its own, on a given database."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.load.peer import PEER, NotAvailableError
from bench.load.server import Batch, Pair, Server
from local.engine import free_port
from local.template import ROOT
from sim import requests
from sim.client import Client
from sim.requests import Request
from sim.system import last_line

WORKERS: Final = 4
THREADS: Final = 8
"""Threads of each worker: together as many as there are clients, and fewer than SQLAlchemy's pool has connections."""
_START_SECONDS: Final = 60
_NO_STATUS: Final = "-"


@contextmanager
def jobmon(uri: str, engine: int | None, folder: Path) -> Iterator[Server]:
    """Run a server until the block ends. It makes its database.

    Raises:
        NotAvailableError: it is not installed, or does not start.
    """
    python = PEER / "bin/python"
    if not python.exists():
        raise NotAvailableError("no Jobmon server here; `make .peer/ready` installs it")
    port, log_path = free_port(), folder / "jobmon.log"
    program = ROOT / "bench/load/jobmon_main.py"
    with (
        log_path.open("w", encoding="utf-8") as log,
        subprocess.Popen(
            [python, "-I", program, uri, str(port), str(WORKERS), str(THREADS)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is the benchmark's to handle
        ) as process,
    ):
        assert process.stdin
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_until_up(process, url, log_path)
            yield Server(url, process.pid, engine, _pairs)
        finally:
            process.stdin.close()
            process.wait()  # Popen's own exit does not wait after Ctrl-C


def _wait_until_up(process: "subprocess.Popen[bytes]", url: str, log_path: Path) -> None:
    give_up = time.monotonic() + _START_SECONDS
    with Client(url) as client:
        while not client.send(Request("GET", "/health")).ok:
            if process.poll() is not None or time.monotonic() > give_up:
                raise NotAvailableError(f"Jobmon's server did not start: {last_line(log_path)}")
            time.sleep(0.1)


def _pairs(client: Client, batch: Batch, tasks: Mapping[int, int]) -> dict[int, Pair]:
    """Ask what its distributor and its client's run loop ask."""
    instances = _by_id(client.ask(requests.poll(batch.run_id, _NO_STATUS, tasks))["status_updates"])
    of_tasks = _by_id(client.ask(requests.poll_workflow(batch.workflow_id))["tasks_by_status"])
    return {each: (instances[each], of_tasks[task]) for each, task in tasks.items()}


def _by_id(by_status: Mapping[str, list[int]]) -> dict[int, str]:
    return {each: status for status, ids in by_status.items() for each in ids}
