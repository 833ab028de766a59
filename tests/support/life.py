"""A workflow's life, driven over the routes, and what the table says of it."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from lockstep.dynamodb.item import Item, Key
from lockstep.items import kind_of
from lockstep.task.item import Task
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.workflow.item import Workflow
from lockstep.workflow_run.item import WorkflowRun
from sim import requests
from sim.requests import Request
from tests.support.linking import WORKFLOWS, Sends, ask

INCREMENT: Final = 90.0
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

    def ask(self, request: Request) -> Any:
        reply = ask(self._player, request)
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
        self.array = self.ask(requests.create_array(self.workflow_id, "hello"))["array_id"]
        bound = self.bind(tasks, max_attempts, command)
        self._know(*map(Task.key, bound))
        return self._run(), bound

    def bind(self, tasks: int, max_attempts: int, command: str = "true") -> list[int]:
        """Bind the tasks, or let them start over."""
        told = (self.array, 1, command, max_attempts)
        rows = [requests.task(node, *told, start_over=True) for node in range(1, tasks + 1)]
        bound = self.ask(requests.bind_tasks(self.workflow_id, rows))["tasks"]
        return [task_id for task_id, _ in bound.values()]

    def resume(self) -> int:
        """Let the tasks that are not done start over, and bring another run to RUNNING."""
        self.ask(Request("POST", f"/task/{self.workflow_id}/set_resume_state", {"reset_if_running": True}))
        return self._run()

    def _run(self) -> int:
        run: int = self.ask(requests.create_run(self.workflow_id, INCREMENT))["workflow_run_id"]
        self._know(WorkflowRun.key(run))
        for status in "BIOR":
            self.move(run, status)
        return run

    def move(self, run: int, status: str) -> None:
        assert self.ask(requests.move_run(run, status))["status"] == status

    def queue(self, run: int, tasks: list[int]) -> list[int]:
        """Give the tasks an attempt and launch it. The attempts."""
        self.ask(requests.queue(self.array, tasks, 1, run))
        attempts = [max(self._attempts(task)) for task in tasks]
        self.ask(requests.instantiate(attempts))
        for attempt in attempts:
            self.ask(requests.log_distributor_id(attempt, str(attempt), INCREMENT))
        return attempts

    def _attempts(self, task: int) -> list[int]:
        keys = [key for key in self._stands if key.pk == f"TASK#{task}" and key.sk.startswith("TI#")]
        return [InstanceKey(task, int(key.sk.removeprefix("TI#"))).id for key in keys]

    def start(self, attempt: int) -> None:
        self.ask(requests.log_running(attempt, "n", 1, INCREMENT))
        for _ in range(3):
            self.ask(requests.log_report_by(attempt, INCREMENT))

    def end(self, attempt: int) -> None:
        """Its first reply is lost."""
        for _ in range(2):
            self.ask(requests.log_done(attempt, "n", stdout_log="x"))

    def fail(self, attempt: int, state: str = "E") -> None:
        self.ask(requests.log_error(attempt, "n", state, "boom"))

    def heartbeat(self, run: int, status: str) -> None:
        self.ask(requests.beat_run(run, INCREMENT, status))

    def sweep(self, run: int) -> None:
        self.ask(requests.sweep(run))
