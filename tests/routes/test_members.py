"""Each member of a bulk call has its own outcome: one that cannot be served keeps no other from being served."""

import json
from typing import Any

import pytest

from local.seed import Seed, load
from tests.conformance.recording import Player

pytestmark = pytest.mark.usefixtures("table_in_memory")

ARRAY = 97_000_000
OTHER = 97_000_001
USED_UP = 97_000_100


def seed() -> Seed:
    """Ten tasks of one array, the first of which has had 999 instances."""
    arrays = [
        {
            "array_id": array,
            "name": "a",
            "workflow_id": array,
            "task_template_version_id": 1,
            "max_concurrently_running": 9,
        }
        for array in (ARRAY, OTHER)
    ]
    tasks = [
        {
            "task_id": USED_UP + number,
            "status": "G",
            "num_attempts": 0,
            "max_attempts": 2000,
            "workflow_id": ARRAY,
            "array_id": ARRAY,
            "name": "t",
            "command": "true",
            "task_resources_id": 1,
        }
        for number in range(10)
    ]
    last = {
        "task_instance_id": USED_UP * 1000 + 999,
        "status": "E",
        "workflow_run_id": ARRAY,
        "array_id": ARRAY,
        "array_batch_num": 1,
        "array_step_id": 0,
        "task_resources_id": 1,
    }
    return Seed.model_validate({"arrays": arrays, "tasks": tasks, "task_instances": [last]})


def test_a_task_that_has_used_its_numbers_keeps_its_status_and_the_others_are_queued(player: Player) -> None:
    load(seed())
    ids = [USED_UP + number for number in range(10)]
    body = json.dumps({"task_ids": ids, "task_resources_id": 1, "workflow_run_id": ARRAY})
    for _ in range(2):
        code, reply = player.send("POST", f"/api/v3/array/{ARRAY}/queue_task_batch", body)
        assert (code, reply) == (200, {"tasks_by_status": {"G": [USED_UP], "Q": ids[1:]}})


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/task_instance/instantiate_task_instances", {"task_instance_ids": [0, -1, 10**30, 1000]}),
        (
            "POST",
            "/task_instance/log_report_by/batch",
            {"task_instance_ids": [0, -1, 10**30, 1000], "next_report_increment": 9},
        ),
        ("POST", "/workflow_run/1/sync_status", {"task_instance_ids": [0, -1, 10**30, 1000], "status": "R"}),
        (
            "POST",
            "/array/1/queue_task_batch",
            {"task_ids": [0, -1, 10**30], "task_resources_id": 1, "workflow_run_id": 1},
        ),
        ("POST", "/array/1/log_distributor_id", {"0": "7", "-1": "7", "1000": "7", "x": "7"}),
    ],
)
def test_ids_that_cannot_exist_are_ignored(player: Player, method: str, path: str, body: dict[str, Any]) -> None:
    assert player.send(method, f"/api/v3{path}", json.dumps(body))[0] == 200


@pytest.mark.parametrize(("array", "why"), [(OTHER, "belongs to workflow"), (97_000_009, "does not exist")])
def test_a_task_of_a_wrong_array_refuses_the_binding_by_name(player: Player, array: int, why: str) -> None:
    """Jobmon's reply cannot say that one task is not bound."""
    load(seed())
    tasks = {"good": [1, "h", ARRAY, 1, "t", "true", 3], "bad": [2, "h", array, 1, "t", "true", 3]}
    body = json.dumps({"workflow_id": ARRAY, "tasks": tasks})
    code, reply = player.send("PUT", "/api/v3/task/bind_tasks_no_args", body)
    assert code == 422
    [error] = reply["errors"]
    assert error["field"] == "tasks.bad.array_id"
    assert why in error["message"]
