"""What Jobmon's client does for a workflow, as far as Lockstep has the routes: bind, queue, sweep, queue again."""

import itertools
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from lockstep.context import request
from lockstep.dynamodb.reads import fetch
from lockstep.fsm.statuses import TaskStatus
from lockstep.task.item import Task
from sim import requests
from sim.requests import Request
from sim.workflow import bind_tasks
from tests.jobmon import commands

INCREMENT = 90.0
_WORKFLOWS = itertools.count(900_000)


class Workflow:
    """A workflow of one array, whose commands note what they do in a directory."""

    def __init__(self, client: httpx.Client, directory: Path) -> None:
        self.client = client
        self.directory = directory
        self.workflow_id = next(_WORKFLOWS)
        self.array_id = int(self._ask(requests.create_array(self.workflow_id, "work"))["array_id"])
        self.resources_id = self.bind_resources(memory=1)
        self.task_ids: list[int] = []
        self._ask(requests.bind_tasks(self.workflow_id, []))
        self.run_id = int(self._ask(requests.create_run(self.workflow_id, INCREMENT))["workflow_run_id"])

    def _ask(self, request: Request) -> Any:
        reply = self.client.request(request.method, request.path, json=request.body)
        assert reply.status_code == httpx.codes.OK, reply.text
        return reply.json()

    def bind_resources(self, **requested: Any) -> int:
        """The id of resources for jobs that print into the workflow's directory."""
        requested |= {"stdout": str(self.directory), "stderr": str(self.directory)}
        return int(self._ask(requests.bind_resources(requested, queue_id=2)))

    def bind(self, *commands: str, max_attempts: int = 3) -> list[int]:
        """One task for each command, and the run BOUND."""
        rows = [
            requests.task(node, self.array_id, self.resources_id, command, max_attempts)
            for node, command in enumerate(commands, 1)
        ]
        self.task_ids = bind_tasks(self._ask, self.workflow_id, rows)
        self._ask(requests.move_run(self.run_id, "B"))
        return self.task_ids

    def launch(self, *commands: str, max_attempts: int = 3) -> list[int]:
        """The instances of new tasks, that wait for their worker nodes."""
        instances = [task_id * 1000 + 1 for task_id in self.bind(*commands, max_attempts=max_attempts)]
        self.queue()
        self._ask(requests.instantiate(instances))
        self._ask(requests.launch(self.array_id, 1, INCREMENT))
        return instances

    def work(self, name: str, **options: float) -> str:
        """A command: see work.py."""
        return commands.work(self.directory, name, api=str(self.client.base_url).rstrip("/"), **options)

    def tasks(self) -> dict[int, Task]:
        """How they stand."""
        wanted = {Task.key(task_id): task_id for task_id in self.task_ids}
        with request():
            found = fetch(wanted, consistent=True)
        return {wanted[key]: Task.from_raw_data(raw) for key, raw in found.items()}

    def queue(self) -> None:
        """Queue what may be queued, with more memory where that was wanting."""
        by_status: dict[str, list[int]] = {}
        for task_id, task in self.tasks().items():
            by_status.setdefault(task.status, []).append(task_id)
        for status, wanted in ((TaskStatus.REGISTERING, {}), (TaskStatus.ADJUSTING_RESOURCES, {"memory": 2})):
            if task_ids := by_status.get(status):
                resources_id = self.bind_resources(**wanted) if wanted else self.resources_id
                self._ask(requests.queue(self.array_id, task_ids, resources_id, self.run_id))

    def turn(self) -> Counter[str]:
        """One turn of the client's loop; how many tasks are in which status."""
        self._ask(requests.sweep(self.run_id))
        self._ask(requests.beat_run(self.run_id, INCREMENT))
        self.queue()
        return Counter(task.status for task in self.tasks().values())

    def run_until(self, *ends: str, seconds: float) -> Counter[str]:
        """Turn until so many tasks have ended, or, at the latest, so many seconds have passed."""
        give_up = time.monotonic() + seconds
        while True:
            standing = self.turn()
            if set(standing) <= set(ends) or time.monotonic() > give_up:
                return standing
            time.sleep(0.5)

    def runs(self, name: str) -> list[int]:
        """The instances whose command ran, in order."""
        file = self.directory / f"{name}.runs"
        return [int(line) for line in file.read_text(encoding="utf-8").split()] if file.exists() else []

    @property
    def overlaps(self) -> list[str]:
        """Tasks of which two runs were under way at once."""
        return commands.overlaps(self.directory)

    def errors(self, task_instance_id: int) -> list[str]:
        """What was said of an instance."""
        log = self._ask(requests.get_errors(task_instance_id))["task_instance_error_log"]
        return [description for _, _, description in log]

    def instance(self, task_instance_id: int) -> dict[str, Any]:
        """An instance and its task."""
        whole: dict[str, Any] = self._ask(requests.get_instance(task_instance_id))
        return whole
