"""A system of its own to fuzz, as `make run` serves it: fuzzed ids meet nobody else's."""

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import httpx

from local.start import held_back
from local.template import ROOT
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.task_instance.item import InstanceKey
from tests.support.guarded import NO_TLS
from tests.support.serving import alone

STEPS: Final = [*product(TaskInstanceStatus, TaskStatus)]
"""How each instance and its task stand at first: every pair of statuses."""
BATCHES: Final = 3
"""Each has an array and a run of its own, and an instance in every standing."""


ENDED_BY_SIGNAL: Final = {128 + signal.SIGTERM, 128 + signal.SIGINT}
"""Exit codes of what is served: a terminal's Ctrl-C reaches it before this program ends it."""


@dataclass(frozen=True, slots=True)
class System:
    """Where it is served, without the routes' prefix."""

    url: str

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"{self.url}/api/v3", timeout=30, trust_env=False, verify=NO_TLS)

    def seed(self) -> None:
        """Put the batches into it, over what has the same ids."""
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            file.write(json.dumps(states()))
            file.flush()
            port = self.url.rpartition(":")[2]
            command = [sys.executable, "-m", "local", "local.seed", file.name, "--port", port]
            with held_back():
                subprocess.run(command, cwd=ROOT, env=alone(), check=True, stdout=subprocess.DEVNULL)


def states(batches: int = BATCHES, steps: Sequence[int] = range(len(STEPS))) -> dict[str, list[dict[str, Any]]]:
    """So many batches, as a seed file has them, with an instance in each of those standings."""
    made = [
        _batch(number, steps)
        | _tool(number)
        | {"workflows": [{"workflow_id": number, "workflow_args_hash": str(number)}]}
        for number in range(1, batches + 1)
    ]
    return {kind: [row for batch in made for row in batch[kind]] for kind in made[0]}


def _tool(number: int) -> dict[str, list[dict[str, Any]]]:
    """A tool with a version, a template and a version of it, all with one id."""
    version = {"task_template_version_id": number, "command_template": "run {n}", "arg_mapping_hash": str(number)}
    template = {"task_template_id": number, "tool_version_id": number, "name": "t", "versions": [version]}
    return {
        "tools": [{"tool_id": number, "name": f"tool {number}", "tool_version_ids": [number]}],
        "task_templates": [template],
    }


def task_id(batch: int, step: int) -> int:
    """Of the task at a step of a batch."""
    return batch * 1_000 + step


def instance_id(batch: int, step: int) -> int:
    """Of the task's one instance."""
    return InstanceKey(task_id(batch, step), 1).id


def _batch(number: int, steps: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
    of_array = {"array_id": number, "workflow_id": number}
    of_task = {"name": "t", "command": "true", "task_resources_id": number, **of_array}
    array = {**of_array, "name": "a", "task_template_version_id": number, "max_concurrently_running": 10}
    tasks = [
        {
            "task_id": task_id(number, step),
            "status": STEPS[step][1],
            "num_attempts": step % 2,
            "max_attempts": 1,
            "node_id": step + 1,
            **of_task,
        }
        for step in steps
    ]
    instances = [
        {
            "task_instance_id": instance_id(number, step),
            "status": STEPS[step][0],
            "workflow_run_id": number,
            "array_id": number,
            "array_batch_num": 1,
            "array_step_id": position,
            "task_resources_id": number,
            "report_by_in": (-1000, 1000, None)[step % 3],
            "nodename": "n",
            "errors": ["boom"],
        }
        for position, step in enumerate(steps)
    ]
    edges = [{"node_id": step + 1, "upstream_node_ids": [], "downstream_node_ids": [step + 2]} for step in steps]
    dag = {"dag_id": number, "edges": edges}
    return {"dags": [dag], "arrays": [array], "tasks": tasks, "task_instances": instances}


@contextmanager
def fuzzed() -> Iterator[System]:
    """A seeded system with an engine of its own. Nobody reads what it logs, so it is told to log nothing."""
    command = [sys.executable, "-m", "local", "local.run", "--port", "0"]
    environment = alone() | {"POWERTOOLS_LOG_LEVEL": "CRITICAL"}
    with held_back():
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, encoding="utf-8")
    with process:
        try:
            assert process.stdout
            url = process.stdout.readline().split()[2].removesuffix("/api/v3")
            system = System(url)
            system.seed()
            yield system
        finally:
            process.terminate()
            assert process.wait() in ENDED_BY_SIGNAL
