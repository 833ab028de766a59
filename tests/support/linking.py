"""Runs for tests: each of a workflow of its own, whose tasks are bound."""

import json
from itertools import count
from typing import Any, Final, Protocol

from sim import requests
from sim.requests import Request

WORKFLOWS: Final = count(83_000_001)
"""Ids of new workflows, for all tests that share a table."""


class Sends(Protocol):
    """What sends a request and returns the reply's status and body."""

    def send(self, method: str, path: str, body: str | None = None, /) -> tuple[int, Any]: ...


def ask(player: Sends, request: Request) -> Any:
    """The body of a reply that is 200."""
    body = None if request.body is None else json.dumps(request.body)
    status, reply = player.send(request.method, f"/api/v3{request.path}", body)
    assert status == 200, (request, reply)
    return reply


def bound_workflow(player: Sends) -> int:
    """The id of a new workflow that has no tasks, and whose tasks are all bound."""
    workflow_id = next(WORKFLOWS)
    assert ask(player, requests.bind_tasks(workflow_id, [])) == {"tasks": {}}
    return workflow_id


def workflow_key(player: Sends, tool: str = "bound") -> dict[str, int]:
    """The tool version and the DAG of a workflow to bind: each exists."""
    listed = ask(player, requests.tool_versions(ask(player, requests.bind_tool(tool))["tool"][0]))
    return {"tool_version_id": listed["tool_versions"][0][0], "dag_id": ask(player, requests.bind_dag(1))["dag_id"]}


def linked_run(player: Sends, **more: Any) -> int:
    """The id of a new run, in LINKING."""
    body = {"workflow_id": bound_workflow(player), "next_report_increment": 90, **more}
    status, reply = player.send("POST", "/api/v3/workflow_run", json.dumps(body))
    assert (status, reply["status"]) == (200, "L")
    return int(reply["workflow_run_id"])
