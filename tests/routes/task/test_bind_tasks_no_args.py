"""Create tasks, or start over those that a workflow already has."""

import json
from itertools import count
from typing import Any

import pytest

from lockstep.http.fields import MAX_SETS_PER_CALL
from lockstep.task.item import Task
from sim import requests
from tests.conformance.recording import Player
from tests.support.linking import ask

NODE = 2**62 - 1
WORKFLOWS = count(8_000_000)


@pytest.fixture
def arrays(player: Player) -> tuple[int, int, int]:
    """A workflow, and its arrays of two template versions."""
    workflow = next(WORKFLOWS)
    first, second = (ask(player, requests.create_array(workflow, "a", version))["array_id"] for version in (1, 2))
    return workflow, first, second


def bind(player: Player, workflow: int, tasks: dict[str, list[Any]]) -> tuple[int, Any]:
    body = json.dumps({"workflow_id": workflow, "tasks": tasks})
    return player.send("PUT", "/api/v3/task/bind_tasks_no_args", body)


def row(array: int, task_hash: str = "9", command: str = "true", node: int = NODE) -> list[Any]:
    return [node, task_hash, array, 1, "t", command, 3]


def test_two_names_of_one_task_get_its_id(player: Player, arrays: tuple[int, int, int]) -> None:
    workflow, array, _ = arrays
    status, reply = bind(player, workflow, {"a": row(array), "b": row(array)})
    assert (status, reply["tasks"]["a"]) == (200, reply["tasks"]["b"])


def test_a_task_that_is_described_in_two_ways_is_refused_by_name(player: Player, arrays: tuple[int, int, int]) -> None:
    """So it is if two nodes have one id, and their tasks the same arguments."""
    workflow, array, _ = arrays
    tasks = {"a": row(array), "b": row(array, "8"), "c": row(array, command="false")}
    status, problem = bind(player, workflow, tasks)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["tasks.c"])
    assert "tasks.a" in problem["detail"]
    del tasks["c"]
    status, reply = bind(player, workflow, tasks)
    assert (status, len({task for task, _ in reply["tasks"].values()})) == (200, 2), "nothing was bound before"


def test_a_node_has_one_template_version(player: Player, arrays: tuple[int, int, int]) -> None:
    workflow, first, second = arrays
    status, problem = bind(player, workflow, {"a": row(first), "b": row(second, "8"), "c": row(second, node=7)})
    assert status == 422
    assert problem["errors"] == [
        {"field": "tasks.b.node_id", "message": f"node {NODE} is of template version 1 in tasks.a, and of 2 here"}
    ]


def test_a_task_keeps_its_node(player: Player, arrays: tuple[int, int, int]) -> None:
    workflow, array, _ = arrays
    for command in ("true", "false"):
        _, reply = bind(player, workflow, {"a": row(array, command=command)})
        [task_id, _] = reply["tasks"]["a"]
        assert Task.get(*Task.key(task_id), consistent_read=True).node_id == NODE


def test_tasks_of_more_sets_of_resources_than_a_call_reads_are_refused(
    player: Player, arrays: tuple[int, int, int]
) -> None:
    workflow, array, _ = arrays
    for number in (MAX_SETS_PER_CALL, MAX_SETS_PER_CALL + 1):
        rows = {str(of): [of, "0", array, of, "t", "true", 1] for of in range(1, number + 1)}
        status, reply = bind(player, workflow, rows)
        if number > MAX_SETS_PER_CALL:
            assert (status, [error["field"] for error in reply["errors"]]) == (422, ["tasks"])
        else:
            assert (status, len(reply["tasks"])) == (200, number)
