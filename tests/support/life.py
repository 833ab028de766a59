"""A workflow's life, driven over the routes, and what the table says of it."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from lockstep.dynamodb.item import Item, Key
from lockstep.items import kind_of
from lockstep.task.item import Task
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.workflow.item import Workflow
from lockstep.workflow_run.item import WorkflowRun
from tests.support.linking import WORKFLOWS, Sends

MOVE: Final = (Task, TaskInstance, WorkflowRun, Workflow)

History = dict[Key, list[tuple[str | None, str]]]
"""The moves of each item, from where to where, in order."""


class Life:
    """A workflow, driven over the routes. After each call the table says what has moved: the history."""

    def __init__(self, player: Sends, client: Any) -> None:
        self.workflow_id = next(WORKFLOWS)
        self.history: History = defaultdict(list)
        self.array = 0
        self._player = player
        self._client = client
        self._partitions = [Workflow.key(self.workflow_id).pk]
        self._stands = self._read()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        status, reply = self._player.send(method, f"/api/v3/{path}", None if body is None else json.dumps(body))
        assert status == 200, (path, reply)
        self._note()
        return reply

    def _note(self) -> None:
        before, self._stands = self._stands, self._read()
        for key, status in self._stands.items():
            if before.get(key) != status:
                self.history[key].append((before.get(key), status))

    def _know(self, *keys: Key) -> None:
        self._partitions += [key.pk for key in keys]
        self._note()

    def _read(self) -> dict[Key, str]:
        return dict(moved for partition in self._partitions for moved in self._read_partition(partition))

    def _read_partition(self, partition: str) -> Iterator[tuple[Key, str]]:
        asked = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": partition}}}
        page = self._client.query(TableName=Item.Meta.table_name, ConsistentRead=True, **asked)
        assert "LastEvaluatedKey" not in page
        for raw in page["Items"]:
            key = Key(partition, raw["sk"]["S"])
            kind = kind_of(key)
            if kind and kind.model in MOVE:
                yield key, raw["status"]["S"]

    def begin(self, tasks: int, max_attempts: int, command: str = "true") -> tuple[int, list[int]]:
        """Bind the tasks, link a run and bring it to RUNNING. The run, and the tasks."""
        limits = {"workflow_id": self.workflow_id, "max_concurrently_running": 10, "name": "hello"}
        self.array = self.ask("POST", "array", {"task_template_version_id": 1, **limits})["array_id"]
        tasks_bound = self.bind(tasks, max_attempts, command)
        self._know(*map(Task.key, tasks_bound))
        return self._run(), tasks_bound

    def bind(self, tasks: int, max_attempts: int, command: str = "true") -> list[int]:
        """Bind the tasks, or let them start over."""
        rows = {str(n): [n, "0", self.array, 1, f"t{n}", command, max_attempts, True] for n in range(1, tasks + 1)}
        body = {"workflow_id": self.workflow_id, "mark_created": True, "tasks": rows}
        bound = self.ask("PUT", "task/bind_tasks_no_args", body)["tasks"]
        return [task_id for task_id, _ in bound.values()]

    def resume(self) -> int:
        """Let the tasks that are not done start over, and bring another run to RUNNING."""
        self.ask("POST", f"task/{self.workflow_id}/set_resume_state", {"reset_if_running": True})
        return self._run()

    def _run(self) -> int:
        link = {"workflow_id": self.workflow_id, "next_report_increment": 90}
        run: int = self.ask("POST", "workflow_run", link)["workflow_run_id"]
        self._know(WorkflowRun.key(run))
        for status in "BIOR":
            self.move(run, status)
        return run

    def move(self, run: int, status: str) -> None:
        assert self.ask("PUT", f"workflow_run/{run}/update_status", {"status": status})["status"] == status

    def queue(self, run: int, tasks: list[int]) -> list[int]:
        """Give the tasks an attempt and launch it. The attempts."""
        body = {"task_ids": tasks, "task_resources_id": 1, "workflow_run_id": run}
        self.ask("POST", f"array/{self.array}/queue_task_batch", body)
        attempts = [max(self._attempts(task)) for task in tasks]
        self.ask("POST", "task_instance/instantiate_task_instances", {"task_instance_ids": attempts})
        for attempt in attempts:
            body = {"distributor_id": str(attempt), "next_report_increment": 90}
            self.ask("POST", f"task_instance/{attempt}/log_distributor_id", body)
        return attempts

    def _attempts(self, task: int) -> list[int]:
        keys = [key for key in self._stands if key.pk == f"TASK#{task}" and key.sk.startswith("TI#")]
        return [InstanceKey(task, int(key.sk.removeprefix("TI#"))).id for key in keys]

    def start(self, attempt: int) -> None:
        body = {"process_group_id": 1, "nodename": "n", "next_report_increment": 90}
        self.ask("POST", f"task_instance/{attempt}/log_running", body)
        for _ in range(3):
            self.ask("POST", f"task_instance/{attempt}/log_report_by", {"next_report_increment": 90})

    def end(self, attempt: int) -> None:
        for _ in range(2):  # the first reply was lost
            self.ask("POST", f"task_instance/{attempt}/log_done", {"nodename": "n", "stdout_log": "x"})

    def fail(self, attempt: int, state: str = "E") -> None:
        body = {"error_state": state, "error_description": "boom", "stdout_log": "x"}
        self.ask("POST", f"task_instance/{attempt}/log_error_worker_node", body)

    def heartbeat(self, run: int, status: str) -> None:
        beat = {"status": status, "next_report_increment": 90}
        self.ask("POST", f"workflow_run/{run}/log_heartbeat", beat)

    def sweep(self, run: int) -> None:
        self.ask("POST", f"workflow_run/{run}/set_status_for_triaging", {})
