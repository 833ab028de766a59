"""Create a workflow, or find it again by its tool version, tasks and arguments."""

from tests.conformance.recording import Player
from tests.support.linking import workflow_key
from tests.support.tools import ask, refused


def test_a_tool_version_and_a_dag_that_do_not_exist_are_named(player: Player) -> None:
    """All that is unknown at once, and nothing is stored."""
    known = workflow_key(player)
    body = {"workflow_args_hash": 61, "task_hash": 1, "tool_version_id": 999_999, "dag_id": 999_998}
    assert refused(player, "POST", "/workflow", body) == (422, ["tool_version_id", "dag_id"])
    assert refused(player, "POST", "/workflow", {**body, "dag_id": known["dag_id"]}) == (422, ["tool_version_id"])
    of_version = {**body, "tool_version_id": known["tool_version_id"]}
    assert refused(player, "POST", "/workflow", of_version) == (422, ["dag_id"])
    assert ask(player, "GET", "/workflow/61") == {"matching_workflows": []}
