"""From tasks to LAUNCHED instances over HTTP, by the routes that both systems have."""

from collections.abc import Sequence
from typing import Any, Final

from bench.load.client import Client, NotOkError
from bench.load.reports import NO_SURPRISE, log_running
from bench.load.system import Batch, Ground, System
from lockstep.dynamodb.client import chunks

IDS_PER_CALL: Final = 500
"""As Jobmon's client and distributor send them."""
QUEUE_ID: Final = 1
MAX_ATTEMPTS: Final = 3


def launch(system: System, client: Client, tasks: int) -> Batch:
    """New tasks of a new workflow in one batch, 1,000 at most.

    Raises:
        NotOkError: the system does not do as it is told.
    """
    ground = system.lay_ground(client, tasks)
    array_id, task_resources_id, task_ids = _bind(client, ground)
    run = {"workflow_id": ground.workflow_id, "user": "somebody", "jobmon_version": "3.2.2", **NO_SURPRISE}
    run_id = int(client.ask("POST", "/workflow_run", run)["workflow_run_id"])
    client.ask("PUT", f"/workflow_run/{run_id}/update_status", {"status": "B"})
    queued = {"task_ids": task_ids, "task_resources_id": task_resources_id, "workflow_run_id": run_id}
    client.ask("POST", f"/array/{array_id}/queue_task_batch", queued)
    instances = _in_status(client, run_id, "Q")
    for chunk in chunks(instances, IDS_PER_CALL):
        client.ask("POST", "/task_instance/instantiate_task_instances", {"task_instance_ids": chunk})
    client.ask("POST", f"/array/{array_id}/transition_to_launched", {"batch_number": 1, **NO_SURPRISE})
    launched = _in_status(client, run_id, "O")
    if len(launched) != tasks:
        raise NotOkError(f"{len(launched)} of {tasks} instances are launched")
    return Batch(ground, array_id, run_id, launched)


def start(client: Client, task_instance_ids: Sequence[int]) -> dict[int, int]:
    """Make launched instances RUNNING; the id of each one's task.

    Raises:
        NotOkError: one was refused.
    """
    replies = {each: log_running(client, each) for each in task_instance_ids}
    for each, reply in replies.items():
        if not reply.ok:
            raise NotOkError(f"log_running of {each} was answered {reply.outcome}")
    return {each: int(reply.body["task_instance"][3]) for each, reply in replies.items()}


def _bind(client: Client, ground: Ground) -> tuple[int, int, list[int]]:
    """The array's, the resources' and the tasks' ids."""
    array = {
        "workflow_id": ground.workflow_id,
        "task_template_version_id": ground.task_template_version_id,
        "max_concurrently_running": len(ground.node_ids),
        "name": "load",
    }
    array_id = int(client.ask("POST", "/array", array)["array_id"])
    resources = {"queue_id": QUEUE_ID, "requested_resources": {"stdout": "/logs", "stderr": "/logs"}}
    resources_id = int(client.ask("POST", "/task/bind_resources", resources))
    tasks: dict[str, list[Any]] = {
        str(node): [node, "0", array_id, resources_id, f"t{node}", f"run {node}", MAX_ATTEMPTS, False, {}, []]
        for node in ground.node_ids
    }
    bound: dict[str, list[Any]] = {}
    for chunk in chunks(tasks, IDS_PER_CALL):
        body = {"workflow_id": ground.workflow_id, "mark_created": True, "tasks": {each: tasks[each] for each in chunk}}
        bound |= client.ask("PUT", "/task/bind_tasks_no_args", body)["tasks"]
    return array_id, resources_id, sorted(int(task_id) for task_id, _ in bound.values())


def _in_status(client: Client, workflow_run_id: int, status: str) -> list[int]:
    body = {"task_instance_ids": [], "status": status}
    updates = client.ask("POST", f"/workflow_run/{workflow_run_id}/sync_status", body)["status_updates"]
    return sorted(int(each) for each in updates.get(status, []))
