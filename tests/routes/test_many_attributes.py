"""As many attributes of workflows and tasks as a call takes: what one call cannot put, the same call again does.

In virtual time, as test_progress.py.
"""

import json
from collections.abc import Iterator
from copy import copy
from typing import Any, Final
from unittest.mock import patch

import pytest

from lockstep.clock import BUDGET_SECONDS, BULK_BUDGET_SECONDS
from lockstep.http.fields import MAX_ATTRIBUTES
from lockstep.workflow.bind import ATTRIBUTES_PER_TRANSACTION
from tests.conformance.recording import Player
from tests.support.memory import VirtualTime, running_on
from tests.support.memory.boundary import Memory, answered_by
from tests.support.memory.operations import Reply
from tests.support.memory.threads import threads_are
from tests.support.slow import InTurn

MANY: Final = 1_200
TRIES: Final = 10
"""Of Jobmon's client."""


class Table:
    """A table of which every request takes time."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.clock = VirtualTime()
        self.puts = 0
        self.lagging: Any = None
        """The table as it was, for reads that may lag."""
        self._memory = Memory()
        self._player = Player()

    def answer(self, operation: str, request: dict[str, Any]) -> Reply:
        self.clock.sleep(self.seconds)
        self.puts += operation == "BatchWriteItem"
        reads = request.get("RequestItems", {}).values() if operation == "BatchGetItem" else ()
        if self.lagging and reads and not any(read.get("ConsistentRead") for read in reads):
            with patch.object(self._memory, "table", self.lagging):
                return self._memory.answer(operation, request)
        return self._memory.answer(operation, request)

    def lag(self) -> None:
        """Let reads lag behind what is stored from now on."""
        self.lagging = copy(self._memory.table)

    def send(self, method: str, path: str, **body: Any) -> tuple[int, Any]:
        return self._player.send(method, f"/api/v3/{path}", json.dumps(body))

    def ask(self, method: str, path: str, **body: Any) -> Any:
        status, reply = self.send(method, path, **body)
        assert status == 200, reply
        return reply

    def attributes(self, of: str) -> dict[str, str]:
        """The values that are stored of a workflow or a task, by name."""
        return {
            sk.removeprefix("ATTRIBUTE#"): item["value"]["S"]
            for (pk, sk), item in self._memory.items.items()
            if pk == of and sk.startswith("ATTRIBUTE#")
        }


@pytest.fixture
def table() -> Iterator[Table]:
    made = Table()
    with running_on(made.clock), threads_are(InTurn), answered_by(made.answer):
        yield made


@pytest.fixture
def identity(table: Table) -> dict[str, Any]:
    tool_id = table.ask("POST", "tool", name="t")["tool"][0]
    version_id = table.ask("GET", f"tool/{tool_id}/tool_versions")["tool_versions"][0][0]
    table.ask("POST", "dag", dag_hash=5)
    return {"tool_version_id": version_id, "dag_id": 5, "workflow_args_hash": "1", "task_hash": "1"}


@pytest.fixture
def task(table: Table) -> int:
    said = {"task_template_version_id": 1, "max_concurrently_running": 9, "name": "a"}
    array_id = table.ask("POST", "array", workflow_id=7, **said)["array_id"]
    rows = {"1": [1, "0", array_id, 1, "t", "true", 3, False, {}, []]}
    bound = table.ask("PUT", "task/bind_tasks_no_args", workflow_id=7, mark_created=True, tasks=rows)
    return int(bound["tasks"]["1"][0])


def values(number: int, value: str = "v") -> dict[str, str]:
    return {f"n{each:05}": f"{value}{each}" for each in range(number)}


def test_a_task_has_a_thousand_attributes(table: Table, task: int) -> None:
    for value in ("first", "second"):
        table.ask("PUT", "task/bind_task_attributes", task_attributes={str(task): values(MANY, value)})
        assert table.attributes(f"TASK#{task}") == values(MANY, value)


def test_values_that_come_back_are_stored_though_reads_lag(table: Table, task: int) -> None:
    for value in ("first", "second", "first"):
        table.ask("PUT", "task/bind_task_attributes", task_attributes={str(task): values(MANY, value)})
        if not table.lagging:
            table.lag()
    assert table.attributes(f"TASK#{task}") == values(MANY, "first")


@pytest.mark.parametrize("number", [ATTRIBUTES_PER_TRANSACTION, ATTRIBUTES_PER_TRANSACTION + 1, MANY])
def test_a_workflow_is_bound_with_all_its_attributes(table: Table, identity: dict[str, Any], number: int) -> None:
    for value in ("first", "second"):
        bound = table.ask("POST", "workflow", **identity, workflow_attributes=values(number, value))
        assert bound["newly_created"]
        assert table.attributes(f"WORKFLOW#{bound['workflow_id']}") == values(number, value)
    path = f"workflow/{bound['workflow_id']}/workflow_attributes"
    assert table.ask("PUT", path, workflow_attributes=values(number, "third")) == {}
    assert table.attributes(f"WORKFLOW#{bound['workflow_id']}") == values(number, "third")


def test_many_attributes_of_a_workflow_are_put_in_portions(table: Table, identity: dict[str, Any]) -> None:
    workflow = table.ask("POST", "workflow", **identity)["workflow_id"]
    table.seconds, path = 0.2, f"workflow/{workflow}/workflow_attributes"
    calls: dict[str, tuple[str, str, dict[str, Any]]] = {
        "first": ("POST", "workflow", identity),
        "second": ("PUT", path, {}),
    }
    for value, (method, called, body) in calls.items():
        table.puts, put, codes = 0, 0, [503]
        while codes[-1] == 503 and len(codes) <= TRIES:
            began = table.clock.passed
            codes.append(table.send(method, called, **body, workflow_attributes=values(MANY, value))[0])
            assert table.clock.passed - began <= BUDGET_SECONDS + 1
            stored = table.attributes(f"WORKFLOW#{workflow}")
            before, put = put, sum(each.startswith(value) for each in stored.values())
            assert put > before, "each call does a part"
        assert (codes[-1], put) == (200, MANY)
        assert len(codes) > 2, "it is more than a call can do"
        assert table.puts <= MANY // 25 + len(codes), "what is put is not put again"


def test_as_many_attributes_as_a_call_takes_are_put_within_ten_tries(table: Table, task: int) -> None:
    table.seconds, codes = 0.05, [503]  # one at a time: 0.4 s where eight are under way
    while codes[-1] == 503 and len(codes) <= TRIES:
        began = table.clock.passed
        noted = {str(task): values(MAX_ATTRIBUTES)}
        codes.append(table.send("PUT", "task/bind_task_attributes", task_attributes=noted)[0])
        assert table.clock.passed - began <= BULK_BUDGET_SECONDS + 1
    assert (codes[-1], len(table.attributes(f"TASK#{task}"))) == (200, MAX_ATTRIBUTES)


def test_more_attributes_than_a_call_takes_are_refused(table: Table, task: int, identity: dict[str, Any]) -> None:
    too_many = values(MAX_ATTRIBUTES + 1)
    for method, path, body in (
        ("PUT", "task/bind_task_attributes", {"task_attributes": {str(task): too_many}}),
        ("PUT", "workflow/7/workflow_attributes", {"workflow_attributes": too_many}),
        ("POST", "workflow", {**identity, "workflow_attributes": too_many}),
    ):
        status, problem = table.send(method, path, **body)
        assert status == 422
        assert f"{MAX_ATTRIBUTES}" in problem["errors"][0]["message"]
    assert table.attributes(f"TASK#{task}") == table.attributes("WORKFLOW#7") == {}


def test_a_workflow_that_does_not_exist_is_given_none(table: Table) -> None:
    assert table.send("PUT", "workflow/9/workflow_attributes", workflow_attributes=values(MANY))[0] == 404
    assert table.attributes("WORKFLOW#9") == {}
