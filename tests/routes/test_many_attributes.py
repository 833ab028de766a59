"""As many attributes of workflows and tasks as a call takes: what one call cannot put, the same call again does.

In virtual time, as test_progress.py.
"""

from copy import copy
from functools import partial
from typing import Any, Final
from unittest.mock import patch

import pytest

from lockstep.clock import BUDGET_SECONDS
from lockstep.http.fields import MAX_ATTRIBUTES, MAX_ATTRIBUTES_PER_CALL
from lockstep.workflow.bind import ATTRIBUTES_PER_TRANSACTION
from tests.support.linking import workflow_key
from tests.support.memory.operations import Reply
from tests.support.slow import Slow, fill

MANY: Final = 1_200
OF_TASKS: Final = "/task/bind_task_attributes"


def attributes(slow: Slow, of: str) -> dict[str, str]:
    """The values that are stored of a workflow or a task, by name."""
    return {
        sk.removeprefix("ATTRIBUTE#"): item["value"]["S"]
        for (pk, sk), item in slow.memory.items.items()
        if pk == of and sk.startswith("ATTRIBUTE#")
    }


@pytest.fixture
def identity(slow: Slow) -> dict[str, Any]:
    return {**workflow_key(slow.player), "workflow_args_hash": "1", "task_hash": "1"}


@pytest.fixture
def task(slow: Slow) -> int:
    """One of many, of workflow 7."""
    fill(slow, "", "G")
    slow.seconds = 0.0
    return 1


def values(number: int, value: str = "v") -> dict[str, str]:
    return {f"n{each:05}": f"{value}{each}" for each in range(number)}


def test_a_task_has_a_thousand_attributes(slow: Slow, task: int) -> None:
    for value in ("first", "second"):
        slow.get("PUT", OF_TASKS, {"task_attributes": {task: values(MANY, value)}})
        assert attributes(slow, f"TASK#{task}") == values(MANY, value)


def test_values_that_come_back_are_stored_though_reads_lag(slow: Slow, task: int) -> None:
    right, as_it_was = slow.memory.answer, list[Any]()

    def answer(operation: str, request: dict[str, Any]) -> Reply:
        reads = request["RequestItems"].values() if operation == "BatchGetItem" else ()
        if not (as_it_was and reads) or any(read.get("ConsistentRead") for read in reads):
            return right(operation, request)
        with patch.object(slow.memory, "table", as_it_was[0]):
            return right(operation, request)

    with patch.object(slow.memory, "answer", answer):
        for value in ("first", "second", "first"):
            slow.get("PUT", OF_TASKS, {"task_attributes": {task: values(MANY, value)}})
            as_it_was.append(copy(slow.memory.table))
    assert attributes(slow, f"TASK#{task}") == values(MANY, "first")


@pytest.mark.parametrize("number", [ATTRIBUTES_PER_TRANSACTION, ATTRIBUTES_PER_TRANSACTION + 1, MANY])
def test_a_workflow_is_bound_with_all_its_attributes(slow: Slow, identity: dict[str, Any], number: int) -> None:
    for value in ("first", "second"):
        bound = slow.get("POST", "/workflow", identity | {"workflow_attributes": values(number, value)})
        assert bound["newly_created"]
        assert attributes(slow, f"WORKFLOW#{bound['workflow_id']}") == values(number, value)
    path = f"/workflow/{bound['workflow_id']}/workflow_attributes"
    assert slow.get("PUT", path, {"workflow_attributes": values(number, "third")}) == {}
    assert attributes(slow, f"WORKFLOW#{bound['workflow_id']}") == values(number, "third")


def test_many_attributes_of_a_workflow_are_put_in_portions(slow: Slow, identity: dict[str, Any]) -> None:
    workflow = slow.get("POST", "/workflow", identity)["workflow_id"]

    def put(value: str) -> int:
        return sum(each.startswith(value) for each in attributes(slow, f"WORKFLOW#{workflow}").values())

    slow.seconds, slow.budget = 0.2, BUDGET_SECONDS
    for value, method, path, body in (
        ("first", "POST", "/workflow", identity),
        ("second", "PUT", f"/workflow/{workflow}/workflow_attributes", {}),
    ):
        slow.asked.clear()
        noted = body | {"workflow_attributes": values(MANY, value)}
        calls, _ = slow.finish(method, path, noted, done=partial(put, value))
        assert put(value) == MANY
        assert calls > 1, "it is more than a call can do"
        assert slow.asked["BatchWriteItem"] <= MANY // 25 + calls, "what is put is not put again"


def test_as_many_attributes_as_a_call_takes_are_put_within_ten_tries(slow: Slow, task: int) -> None:
    slow.seconds = 0.05  # one at a time: 0.4 s where eight are under way
    slow.finish("PUT", OF_TASKS, {"task_attributes": {task: values(MAX_ATTRIBUTES)}})
    assert len(attributes(slow, f"TASK#{task}")) == MAX_ATTRIBUTES


def test_more_attributes_than_a_call_takes_are_refused(slow: Slow, task: int, identity: dict[str, Any]) -> None:
    too_many = values(MAX_ATTRIBUTES + 1)
    for method, path, body in (
        ("PUT", OF_TASKS, {"task_attributes": {task: too_many}}),
        ("PUT", "/workflow/7/workflow_attributes", {"workflow_attributes": too_many}),
        ("POST", "/workflow", {**identity, "workflow_attributes": too_many}),
    ):
        status, problem = slow.call(method, path, body)
        assert status == 422
        assert f"{MAX_ATTRIBUTES}" in problem["errors"][0]["message"]
    assert attributes(slow, f"TASK#{task}") == attributes(slow, "WORKFLOW#7") == {}


def test_more_than_all_tasks_of_a_call_take_are_refused_before_one_is_read(slow: Slow) -> None:
    of_tasks = dict.fromkeys(range(1, MAX_ATTRIBUTES_PER_CALL // MAX_ATTRIBUTES + 2), values(MAX_ATTRIBUTES))
    status, problem = slow.call("PUT", OF_TASKS, {"task_attributes": of_tasks})
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["task_attributes"])


def test_a_workflow_that_does_not_exist_is_given_none(slow: Slow) -> None:
    assert slow.call("PUT", "/workflow/9/workflow_attributes", {"workflow_attributes": values(MANY)})[0] == 404
    assert attributes(slow, "WORKFLOW#9") == {}
