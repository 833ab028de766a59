"""Jobmon's published server, in an environment of its own, on a given database."""

import itertools
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.load.peer import PEER, NotAvailableError
from bench.load.server import Batch, Ground, Pair, Server
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
_NUMBERS: Final = itertools.count(1)


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
            yield Server(url, process.pid, engine, _lay_ground, _pairs)
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


def _lay_ground(client: Client, tasks: int) -> Ground:
    """A tool, its version, a template and its version, nodes, a DAG and a workflow."""
    name = f"load-{next(_NUMBERS)}"
    tool_id = _post(client, "/tool", {"name": name})["tool"][0]
    version_id = _post(client, "/tool_version", {"tool_id": tool_id})["tool_version"][0]
    template = {"tool_version_id": version_id, "task_template_name": name}
    template_id = _post(client, "/task_template", template)["task_template_id"]
    arguments: dict[str, list[str]] = {"node_args": [], "task_args": [], "op_args": []}
    template_version = {"command_template": name, "arg_mapping_hash": "0", **arguments}
    path = f"/task_template/{template_id}/add_version"
    template_version_id = _post(client, path, template_version)["task_template_version"][0]
    nodes = [
        {"task_template_version_id": template_version_id, "node_args_hash": str(number), "node_args": {}}
        for number in range(tasks)
    ]
    node_ids = _post(client, "/nodes", {"nodes": nodes})["nodes"].values()
    workflow_id = _bind_workflow(client, version_id, name)
    return Ground(workflow_id, int(template_version_id), sorted(map(int, node_ids)))


def _bind_workflow(client: Client, tool_version_id: int, name: str) -> int:
    workflow = {
        "tool_version_id": tool_version_id,
        "dag_id": _post(client, "/dag", {"dag_hash": name})["dag_id"],
        "workflow_args_hash": name,
        "task_hash": name,
        "description": "",
        "name": name,
        "workflow_args": name,
        "max_concurrently_running": 10_000,
        "workflow_attributes": {},
    }
    return int(_post(client, "/workflow", workflow)["workflow_id"])


def _pairs(client: Client, batch: Batch, tasks: Mapping[int, int]) -> dict[int, Pair]:
    """Ask what its distributor and its client's run loop ask."""
    instances = _by_id(client.ask(requests.poll(batch.run_id, _NO_STATUS, tasks))["status_updates"])
    of_tasks = _by_id(client.ask(requests.poll_workflow(batch.ground.workflow_id))["tasks_by_status"])
    return {each: (instances[each], of_tasks[task]) for each, task in tasks.items()}


def _post(client: Client, path: str, body: Mapping[str, Any]) -> Any:
    return client.ask(Request("POST", path, body))


def _by_id(by_status: Mapping[str, list[int]]) -> dict[int, str]:
    return {each: status for status, ids in by_status.items() for each in ids}
