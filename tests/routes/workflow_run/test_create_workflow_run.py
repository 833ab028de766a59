"""A client begins to run a workflow."""

from itertools import count
from typing import Any

from tests.conformance.recording import Player
from tests.support.linking import workflow_key
from tests.support.tools import ask
from tests.support.workflows import Workflow

_NUMBERS = count(77_000_001)


def _link(player: Player, workflow_id: int) -> Any:
    return ask(player, "POST", "/workflow_run", {"workflow_id": workflow_id, "next_report_increment": 90})


def _is_resumable(player: Player, workflow_id: int) -> bool:
    return bool(ask(player, "GET", f"/workflow/{workflow_id}/is_resumable")["workflow_is_resumable"])


def test_a_workflow_of_which_nothing_is_known(player: Player) -> None:
    number = next(_NUMBERS)
    assert _link(player, number) == {"workflow_run_id": None, "err_msg": f"No workflow exists for ID {number}"}


def test_a_workflow_that_nobody_bound_begins_with_an_array(player: Player) -> None:
    workflow = Workflow(player, 0, linked=False)
    assert _is_resumable(player, workflow.id)
    assert _link(player, workflow.id)["status"] == "L"


def test_a_workflow_that_is_being_bound_waits_for_its_tasks(player: Player) -> None:
    hashes = {"workflow_args_hash": next(_NUMBERS), "task_hash": 1, **workflow_key(player)}
    number = ask(player, "POST", "/workflow", hashes)["workflow_id"]
    array = {"workflow_id": number, "task_template_version_id": 1, "max_concurrently_running": 1, "name": "a"}
    ask(player, "POST", "/array", array)
    assert not _is_resumable(player, number)
    assert _link(player, number)["workflow_run_id"] is None
    ask(player, "PUT", "/task/bind_tasks_no_args", {"workflow_id": number, "tasks": {}, "mark_created": True})
    assert _link(player, number)["status"] == "L"
