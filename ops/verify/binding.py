"""Bind what the walk needs: resources, an array, its tasks and a workflow run."""

from typing import Final

from ops.verify.api import Api
from ops.verify.checks import Checks
from ops.verify.session import REPORT_SECONDS, Bound, Workflow
from sim import requests

SUCCEEDS, FAILS, STOPPED = "success", "failure", "stop"
ATTEMPTS: Final = {SUCCEEDS: 1, FAILS: 4, STOPPED: 1}
"""How many attempts each task has."""


def bind(api: Api, checks: Checks, workflow: Workflow) -> Bound:
    """Bind everything. The workflow run comes last: once it exists, the walk ends it whatever happens.

    Raises:
        StopError: something cannot be bound.
    """
    checks.equal("the cluster sequential is known", api.get("cluster/sequential").value("cluster", 1), "sequential")
    resources = _bind_resources(api, checks)
    array = _bind_array(api, checks, workflow)
    tasks = _bind_tasks(api, checks, workflow, array, resources)
    run = _bind_run(api, checks, workflow)
    return Bound(array, resources, run, tasks)


def command_of(task: str) -> str:
    """The command that a task is bound with. Nobody runs it."""
    return f"echo lockstep-verify {task}"


def _bind_resources(api: Api, checks: Checks) -> int:
    requested = {"memory": 1}
    number = checks.id("requested resources are bound", api.send(requests.bind_resources(requested)))
    found = api.call("POST", f"task_resources/{number}", {}).value("requested_resources")
    checks.equal("they read back as they were bound", found, requested)
    return number


def _bind_array(api: Api, checks: Checks, workflow: Workflow) -> int:
    request = requests.create_array(workflow.workflow_id, workflow.name, most_at_once=len(ATTEMPTS))
    array = checks.id("an array is bound", api.send(request), "array_id")
    checks.require("bound again, it is the same array", api.send(request).value("array_id"), array)
    return array


def _bind_tasks(api: Api, checks: Checks, workflow: Workflow, array: int, resources: int) -> dict[str, int]:
    nodes = {task: node for node, task in enumerate(ATTEMPTS, 1)}
    rows = [
        requests.task(node, array, resources, command_of(task), ATTEMPTS[task], name=f"{workflow.name}-{task}")
        for task, node in nodes.items()
    ]
    request = requests.bind_tasks(workflow.workflow_id, rows)
    reply = api.send(request)
    places = {task: str(node) for task, node in nodes.items()}
    tasks = {task: checks.id(f"the task for {task} is bound", reply, "tasks", places[task], 0) for task in ATTEMPTS}
    statuses = [reply.value("tasks", place, 1) for place in places.values()]
    checks.require("bound tasks are REGISTERING (G)", statuses, ["G"] * len(tasks))
    same = {places[task]: [number, "G"] for task, number in tasks.items()}
    checks.require("bound again, they are the same tasks", api.send(request).value("tasks"), same)
    return tasks


def _bind_run(api: Api, checks: Checks, workflow: Workflow) -> int:
    reply = api.send(requests.create_run(workflow.workflow_id, REPORT_SECONDS, "lockstep-verify"))
    checks.equal("a new workflow run is LINKING (L)", reply.value("status"), "L")
    return checks.id("a workflow run is bound", reply, "workflow_run_id")
