"""A client begins to run a workflow."""

import json
from itertools import count
from typing import Any

from tests.conformance.recording import Player
from tests.support.linking import workflow_key

_NUMBERS = count(77_000_001)


def _ask(player: Player, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    status, reply = player.send(method, f"/api/v3/{path}", None if body is None else json.dumps(body))
    assert status == 200, reply
    return reply


def _link(player: Player, workflow_id: int) -> Any:
    return _ask(player, "POST", "workflow_run", {"workflow_id": workflow_id, "next_report_increment": 90})


def _array(player: Player, workflow_id: int) -> None:
    body = {"workflow_id": workflow_id, "task_template_version_id": 1, "max_concurrently_running": 1, "name": "a"}
    _ask(player, "POST", "array", body)


def test_a_workflow_of_which_nothing_is_known(player: Player) -> None:
    number = next(_NUMBERS)
    assert _link(player, number) == {"workflow_run_id": None, "err_msg": f"No workflow exists for ID {number}"}


def test_a_workflow_that_nobody_bound_begins_with_an_array(player: Player) -> None:
    number = next(_NUMBERS)
    _array(player, number)
    assert _ask(player, "GET", f"workflow/{number}/is_resumable")["workflow_is_resumable"]
    assert _link(player, number)["status"] == "L"


def test_a_workflow_that_is_being_bound_waits_for_its_tasks(player: Player) -> None:
    hashes = {"workflow_args_hash": next(_NUMBERS), "task_hash": 1, **workflow_key(player)}
    number = _ask(player, "POST", "workflow", {**hashes, "workflow_args": "a", "max_concurrently_running": 1})[
        "workflow_id"
    ]
    _array(player, number)
    assert not _ask(player, "GET", f"workflow/{number}/is_resumable")["workflow_is_resumable"]
    assert _link(player, number)["workflow_run_id"] is None
    _ask(player, "PUT", "task/bind_tasks_no_args", {"workflow_id": number, "tasks": {}, "mark_created": True})
    assert _link(player, number)["status"] == "L"
