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
from tests.jobmon import commands

_WORKFLOWS = itertools.count(900_000)


class Workflow:
    """A workflow of one array, whose commands note what they do in a directory."""

    def __init__(self, client: httpx.Client, directory: Path) -> None:
        self.client = client
        self.directory = directory
        self.workflow_id = next(_WORKFLOWS)
        self.array_id = int(
            self._send(
                "POST",
                "/array",
                workflow_id=self.workflow_id,
                task_template_version_id=1,
                max_concurrently_running=1000,
                name="work",
            )["array_id"]
        )
        self.resources_id = self.bind_resources(memory=1)
        self.task_ids: list[int] = []
        self._send("PUT", "/task/bind_tasks_no_args", workflow_id=self.workflow_id, mark_created=True, tasks={})
        run = {"user": "somebody", "jobmon_version": "3", "next_report_increment": 90}
        self.run_id = int(self._send("POST", "/workflow_run", workflow_id=self.workflow_id, **run)["workflow_run_id"])

    def _send(self, method: str, path: str, **body: Any) -> Any:
        reply = self.client.request(method, path, json=body)
        assert reply.status_code == httpx.codes.OK, reply.text
        return reply.json()

    def bind_resources(self, **requested: Any) -> int:
        """The id of resources for jobs that print into the workflow's directory."""
        requested |= {"stdout": str(self.directory), "stderr": str(self.directory)}
        return int(self._send("POST", "/task/bind_resources", queue_id=2, requested_resources=requested))

    def bind(self, *commands: str, max_attempts: int = 3) -> list[int]:
        """One task for each command, and the run BOUND."""
        tasks = {
            str(node): [node, "0", self.array_id, self.resources_id, f"t{node}", command, max_attempts, False, {}, []]
            for node, command in enumerate(commands, 1)
        }
        body = {"workflow_id": self.workflow_id, "mark_created": True, "tasks": tasks}
        bound = self._send("PUT", "/task/bind_tasks_no_args", **body)["tasks"]
        self.task_ids = sorted(task_id for task_id, _ in bound.values())
        self._send("PUT", f"/workflow_run/{self.run_id}/update_status", status="B")
        return self.task_ids

    def launch(self, *commands: str, max_attempts: int = 3) -> list[int]:
        """The instances of new tasks, that wait for their worker nodes."""
        instances = [task_id * 1000 + 1 for task_id in self.bind(*commands, max_attempts=max_attempts)]
        self.queue()
        self.client.post("/task_instance/instantiate_task_instances", json={"task_instance_ids": instances})
        self._send("POST", f"/array/{self.array_id}/transition_to_launched", batch_number=1, next_report_increment=100)
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
                self._send(
                    "POST",
                    f"/array/{self.array_id}/queue_task_batch",
                    task_ids=task_ids,
                    task_resources_id=self.bind_resources(**wanted) if wanted else self.resources_id,
                    workflow_run_id=self.run_id,
                    cluster_id=2,
                )

    def turn(self) -> Counter[str]:
        """One turn of the client's loop; how many tasks are in which status."""
        self._send("POST", f"/workflow_run/{self.run_id}/set_status_for_triaging")
        heartbeat = {"status": "R", "next_report_increment": 90}
        self._send("POST", f"/workflow_run/{self.run_id}/log_heartbeat", **heartbeat)
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
        log = self.client.get(f"/task_instance/{task_instance_id}/task_instance_error_log").json()
        return [description for _, _, description in log["task_instance_error_log"]]

    def instance(self, task_instance_id: int) -> dict[str, Any]:
        """An instance and its task."""
        whole: dict[str, Any] = self.client.get(f"/task_instance/{task_instance_id}").json()
        return whole
