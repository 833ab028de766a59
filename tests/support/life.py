"""A workflow's life, driven over the routes, and what the table says of it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from lockstep.dynamodb.item import Item, Key
from lockstep.items import kind_of
from lockstep.task.item import Task
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.workflow.item import Workflow
from lockstep.workflow_run.item import WorkflowRun
from sim import requests
from tests.support.linking import Sends
from tests.support.workflows import INCREMENT
from tests.support.workflows import Workflow as Driven

MOVE: Final = (Task, TaskInstance, WorkflowRun, Workflow)

History = dict[Key, list[tuple[str | None, str]]]
"""The moves of each item, from where to where, in order."""


class Life(Driven):
    """A workflow, driven over the routes. After each call the table says what has moved: the history."""

    def __init__(self, player: Sends, client: Any) -> None:
        self.history: History = defaultdict(list)
        self._client = client
        self._partitions: list[str] = []
        self._stands: dict[Key, str] = {}
        super().__init__(player, 0, linked=False)
        self._know(Workflow.key(self.id))

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answered = super().send(method, path, body)
        self._note()
        return answered

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

    def begin(self, tasks: int, max_attempts: int, command: str = "true") -> list[int]:
        """Bind the tasks, link a run and bring it to RUNNING. The tasks."""
        self.size, self._command = tasks, command
        bound = [task_id for task_id, _ in self.bind(max_attempts, created=True).values()]
        self._know(*map(Task.key, bound))
        self.link(*"BIOR")
        return bound

    def link(self, *statuses: str) -> int:
        run = super().link()
        self._know(WorkflowRun.key(run))
        self.move(*statuses)
        return run

    def queue(self, tasks: Iterable[int], resources: int = 1) -> list[int]:
        """Give the tasks an attempt, which the cluster names. The attempts."""
        self.ask(requests.queue(self.array, [*tasks], resources, self.run))
        attempts = [max(self._attempts(task)) for task in tasks]
        self.ask(requests.instantiate(attempts))
        for attempt in attempts:
            self.ask(requests.log_distributor_id(attempt, str(attempt), INCREMENT))
        return attempts

    def _attempts(self, task: int) -> list[int]:
        keys = [key for key in self._stands if key.pk == f"TASK#{task}" and key.sk.startswith("TI#")]
        return [InstanceKey(task, int(key.sk.removeprefix("TI#"))).id for key in keys]

    def start(self, instance: int) -> None:
        self.ask(requests.log_running(instance, "n", 1, INCREMENT))
        for _ in range(3):
            self.ask(requests.log_report_by(instance, INCREMENT))

    def end(self, instance: int) -> None:
        """Its first reply is lost."""
        for _ in range(2):
            self.ask(requests.log_done(instance, "n", stdout_log="x"))

    def fail(self, instance: int, state: str = "E") -> None:
        self.ask(requests.log_error(instance, "n", state, "boom"))
