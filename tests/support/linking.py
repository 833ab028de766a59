"""Runs for tests: each of a workflow of its own, whose tasks are bound."""

import json
from itertools import count
from typing import Any, Final, Protocol

WORKFLOWS: Final = count(83_000_001)
"""Ids of new workflows, for all tests that share a table."""


class Sends(Protocol):
    """What sends a request and returns the reply's status and body."""

    def send(self, method: str, path: str, body: str | None = None, /) -> tuple[int, Any]: ...


def bound_workflow(player: Sends) -> int:
    """The id of a new workflow that has no tasks, and whose tasks are all bound."""
    workflow_id = next(WORKFLOWS)
    body = {"workflow_id": workflow_id, "mark_created": True, "tasks": {}}
    assert player.send("PUT", "/api/v3/task/bind_tasks_no_args", json.dumps(body)) == (200, {"tasks": {}})
    return workflow_id


def workflow_key(player: Sends, tool: str = "bound") -> dict[str, int]:
    """The tool version and the DAG of a workflow to bind: each exists."""
    _, reply = player.send("POST", "/api/v3/tool", json.dumps({"name": tool}))
    _, listed = player.send("GET", f"/api/v3/tool/{reply['tool'][0]}/tool_versions")
    _, dag = player.send("POST", "/api/v3/dag", json.dumps({"dag_hash": 1}))
    return {"tool_version_id": listed["tool_versions"][0][0], "dag_id": dag["dag_id"]}


def linked_run(player: Sends, **more: Any) -> int:
    """The id of a new run, in LINKING."""
    body = {"workflow_id": bound_workflow(player), "next_report_increment": 90, **more}
    status, reply = player.send("POST", "/api/v3/workflow_run", json.dumps(body))
    assert (status, reply["status"]) == (200, "L")
    return int(reply["workflow_run_id"])
