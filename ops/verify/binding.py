"""Bind what the walk needs: resources, an array, its tasks and a workflow run."""

from typing import Any, Final

from ops.verify.api import Api
from ops.verify.checks import Checks
from ops.verify.session import REPORT_SECONDS, Bound, Workflow

SUCCEEDS, FAILS, STOPPED = "success", "failure", "stop"
ATTEMPTS: Final = {SUCCEEDS: 1, FAILS: 4, STOPPED: 1}
"""How many attempts each task has."""
_QUEUE_ID: Final = 1
_TEMPLATE_VERSION_ID: Final = 1


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
    body = {"queue_id": _QUEUE_ID, "requested_resources": requested}
    number = checks.id("requested resources are bound", api.post("task/bind_resources", body))
    found = api.post(f"task_resources/{number}", {}).value("requested_resources")
    checks.equal("they read back as they were bound", found, requested)
    return number


def _bind_array(api: Api, checks: Checks, workflow: Workflow) -> int:
    body = {
        "workflow_id": workflow.workflow_id,
        "task_template_version_id": _TEMPLATE_VERSION_ID,
        "max_concurrently_running": len(ATTEMPTS),
        "name": workflow.name,
    }
    array = checks.id("an array is bound", api.post("array", body), "array_id")
    checks.require("bound again, it is the same array", api.post("array", body).value("array_id"), array)
    return array


def _bind_tasks(api: Api, checks: Checks, workflow: Workflow, array: int, resources: int) -> dict[str, int]:
    rows: dict[str, list[Any]] = {
        task: [node, "0", array, resources, f"{workflow.name}-{task}", command_of(task), attempts, False, {}, []]
        for node, (task, attempts) in enumerate(ATTEMPTS.items(), 1)
    }
    body = {"workflow_id": workflow.workflow_id, "mark_created": True, "tasks": rows}
    reply = api.put("task/bind_tasks_no_args", body)
    tasks = {task: checks.id(f"the task for {task} is bound", reply, "tasks", task, 0) for task in ATTEMPTS}
    statuses = [reply.value("tasks", task, 1) for task in tasks]
    checks.require("bound tasks are REGISTERING (G)", statuses, ["G"] * len(tasks))
    again = api.put("task/bind_tasks_no_args", body).value("tasks")
    checks.require(
        "bound again, they are the same tasks", again, {task: [number, "G"] for task, number in tasks.items()}
    )
    return tasks


def _bind_run(api: Api, checks: Checks, workflow: Workflow) -> int:
    body = {
        "workflow_id": workflow.workflow_id,
        "user": "lockstep-verify",
        "jobmon_version": "lockstep-verify",
        "next_report_increment": REPORT_SECONDS,
    }
    reply = api.post("workflow_run", body)
    checks.equal("a new workflow run is LINKING (L)", reply.value("status"), "L")
    return checks.id("a workflow run is bound", reply, "workflow_run_id")
