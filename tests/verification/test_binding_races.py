"""Many clients bind, link, queue and resume one workflow at once, over HTTP: one workflow, one holder, each task once.

Jobmon makes several workflows, tasks and runs out of such races.
"""

import os
from random import Random
from typing import Any, NamedTuple

import httpx
import pytest

from sim import requests
from sim.requests import Request
from tests.support.linking import WORKFLOWS
from tests.support.together import BINDERS, all_at_once, one_of, same_for_all
from tests.support.tools import VERSION

ROUNDS = int(os.environ.get("ROUNDS", "3"))
TASKS = 70
"""More than one transaction binds or queues."""
MADE_BEFORE = 500
"""Rounds of other tests take no hash from here on."""


class Bound(NamedTuple):
    """What many clients bound as one."""

    workflow_id: int
    array_id: int
    resources: int
    task_ids: list[int]


def read(api: httpx.Client, path: str) -> Any:
    return api.get(path).raise_for_status().json()


def ask(api: httpx.Client, request: Request) -> Any:
    return api.request(request.method, request.path, json=request.body).raise_for_status().json()


def shuffled(rows: list[Any], client: int) -> list[Any]:
    """Each client sends its rows in an order of its own: Jobmon's client iterates over a set."""
    mixed = list(rows)
    Random(client).shuffle(mixed)  # noqa: S311  # an order, not a secret
    return mixed


def bind_version(api: httpx.Client, name: str) -> tuple[int, int]:
    """The ids of a tool's first version and of a template version of it."""
    tool_id, _ = one_of(api, requests.bind_tool(name))["tool"]
    [[tool_version, _]] = read(api, f"/tool/{tool_id}/tool_versions")["tool_versions"]
    made = one_of(api, requests.bind_template(tool_version, name))
    added = Request("POST", f"/task_template/{made['task_template_id']}/add_version", VERSION)
    row = one_of(api, added)["task_template_version"]
    return tool_version, int(row[0])


def bind_nodes(api: httpx.Client, version: int) -> list[int]:
    """The ids of new nodes of a template version."""
    nodes = [
        {"task_template_version_id": version, "node_args_hash": str(number), "node_args": {"1": str(number)}}
        for number in range(TASKS)
    ]
    asked = [Request("POST", "/nodes", {"nodes": shuffled(nodes, client)}) for client in range(BINDERS)]
    bound = same_for_all(api, asked)["nodes"]
    return [bound[f"{version}:{number}"] for number in range(TASKS)]


def bind_dag(api: httpx.Client, dag_hash: int, nodes: list[int]) -> int:
    """The id of a DAG in which each node has the next one below it. Afterwards its edges are complete."""
    dag = one_of(api, requests.bind_dag(dag_hash))
    assert dag == {"dag_id": dag_hash, "created_date": None}
    edges = [
        {"node_id": node, "upstream_node_ids": nodes[:at][-1:], "downstream_node_ids": nodes[at + 1 :][:1]}
        for at, node in enumerate(nodes)
    ]
    asked = [
        Request("POST", f"/dag/{dag_hash}/edges", {"edges_to_add": shuffled(edges, client), "mark_created": True})
        for client in range(BINDERS)
    ]
    assert same_for_all(api, asked) == {}
    assert one_of(api, requests.bind_dag(dag_hash))["created_date"]
    return dag_hash


def bind_workflow(api: httpx.Client, number: int, tool_version: int, dag_id: int) -> tuple[int, Request]:
    """The id of a workflow, and the request with which it was bound."""
    told = {"task_hash": 20**50 + number, "workflow_attributes": {"of": "all"}}
    request = requests.bind_workflow("raced", 10**70 + number, tool_version, dag_id, **told)
    bound = one_of(api, request)
    assert (bound["status"], bound["newly_created"]) == ("G", True)
    return int(bound["workflow_id"]), request


def bind_tasks(api: httpx.Client, workflow_id: int, version: int, nodes: list[int]) -> Bound:
    """An array of the workflow, and a task of each node; all of the workflow's tasks."""
    array_id = int(one_of(api, requests.create_array(workflow_id, "raced", version))["array_id"])
    number = int(ask(api, requests.bind_resources({})))
    rows = [requests.task(node, array_id, number, "true") for node in nodes]
    asked = [requests.bind_tasks(workflow_id, shuffled(rows, client)) for client in range(BINDERS)]
    told = same_for_all(api, asked)["tasks"]
    assert {status for _, status in told.values()} == {"G"}
    ids = sorted(task_id for task_id, _ in told.values())
    assert len(set(ids)) == TASKS
    return Bound(workflow_id, array_id, number, ids)


def link(api: httpx.Client, workflow_id: int) -> int:
    """Each client links a run of its own at once. One holds the workflow, and the others are told which."""
    asked = [requests.create_run(workflow_id, 90, f"user {client}") for client in range(BINDERS)]
    told = all_at_once(api, asked)
    [run] = [reply["workflow_run_id"] for reply in told if reply["workflow_run_id"]]
    refusals = [reply["err_msg"] for reply in told if not reply["workflow_run_id"]]
    assert refusals == [f"WorkflowRun {run} holds the workflow: it is linking"] * (BINDERS - 1)
    return int(run)


def move(api: httpx.Client, run: int, *statuses: str) -> None:
    """All clients report each of the run's moves at once."""
    for status in statuses:
        assert one_of(api, requests.move_run(run, status)) == {"status": status}


def queue(api: httpx.Client, bound: Bound, run: int, attempt: int) -> None:
    """All clients queue all tasks at once: each gets its next attempt, of this run, once."""
    told = one_of(api, requests.queue(bound.array_id, bound.task_ids, bound.resources, run))
    assert told == {"tasks_by_status": {"Q": bound.task_ids}}
    rows = read(api, f"/arrays/{bound.array_id}/tasks?limit=100")["tasks"]
    shown = {row["task_id"]: (row["status"], row["num_attempts"], row["task_instance_id"]) for row in rows}
    assert shown == {task_id: ("Q", 1, task_id * 1000 + attempt) for task_id in bound.task_ids}
    newest = read(api, f"/tasks/{bound.task_ids[0]}")["attempts"][0]
    assert newest["workflow_run_id"] == run


def tasks_of(api: httpx.Client, workflow_id: int) -> list[int]:
    """All that the workflow has, by the route that tells a client of its tasks."""
    told = ask(api, requests.poll_workflow(workflow_id))
    return sorted(task_id for ids in told["tasks_by_status"].values() for task_id in ids)


@pytest.mark.parametrize("number", range(MADE_BEFORE, MADE_BEFORE + ROUNDS))
def test_a_workflow_that_many_bind_link_queue_and_resume_at_once_is_one(api: httpx.Client, number: int) -> None:
    tool_version, version = bind_version(api, f"raced by all {number}")
    nodes = bind_nodes(api, version)
    dag_id = bind_dag(api, number, nodes)
    workflow_id, binding = bind_workflow(api, number, tool_version, dag_id)
    bound = bind_tasks(api, workflow_id, version, nodes)
    assert tasks_of(api, workflow_id) == bound.task_ids
    first = link(api, workflow_id)
    move(api, first, *"BIOR")
    queue(api, bound, first, attempt=1)

    again = one_of(api, binding)
    assert again == {"workflow_id": workflow_id, "status": "R", "newly_created": False}
    assert one_of(api, requests.set_resume(workflow_id, cold=True)) == {}
    move(api, first, "T")
    assert ask(api, requests.start_over(workflow_id)) == {}, "by one: of several, some may be told to ask again"
    second = link(api, workflow_id)
    assert second > first
    move(api, second, *"BIOR")
    queue(api, bound, second, attempt=2)
    assert tasks_of(api, workflow_id) == bound.task_ids


@pytest.mark.parametrize("status", ["L", "R"])
def test_one_of_many_clients_takes_over_from_one_that_fell_silent(api: httpx.Client, status: str) -> None:
    """Each of them finds that the run's client is late, and ends the run."""
    for _ in range(ROUNDS):
        workflow_id = next(WORKFLOWS)
        ask(api, requests.bind_tasks(workflow_id, []))
        run = ask(api, requests.create_run(workflow_id, -1, "silent"))["workflow_run_id"]
        move(api, run, *("BIOR" if status == "R" else ""))
        successor = link(api, workflow_id)
        assert successor > run
        ended = ask(api, requests.move_run(run, "B"))
        assert ended == {"status": "E" if status == "R" else "A"}
