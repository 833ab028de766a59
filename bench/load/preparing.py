"""Take tasks to LAUNCHED instances over HTTP, by the routes that both servers have."""

from collections.abc import Sequence
from itertools import count
from typing import Final

from bench.load.reports import INCREMENT
from bench.load.server import Batch
from lockstep.dynamodb.parallel import chunks
from sim import requests
from sim.client import Client, UnansweredError
from sim.requests import Request
from sim.workflow import IDS_PER_CALL, bind_tasks

_NUMBERS: Final = count(1)


def launch(client: Client, tasks: int) -> Batch:
    """Launch new tasks of a new workflow in one batch, 1,000 at most.

    Raises:
        UnansweredError: the server does not do as it is told.
    """
    number = next(_NUMBERS)
    name = f"load-{number}"
    tool_id = client.ask(requests.bind_tool(name))["tool"][0]
    version_id = client.ask(Request("POST", "/tool_version", {"tool_id": tool_id}))["tool_version"][0]
    template_id = client.ask(requests.bind_template(version_id, name))["task_template_id"]
    template_version_id = int(client.ask(requests.add_version(template_id, name))["task_template_version"][0])
    dag_id = client.ask(requests.bind_dag(number))["dag_id"]
    workflow_id = int(client.ask(requests.bind_workflow(name, number, version_id, dag_id))["workflow_id"])
    array_id = client.ask(requests.create_array(workflow_id, "load", template_version_id))["array_id"]
    resources_id = client.ask(requests.bind_resources({"stdout": "/logs", "stderr": "/logs"}))
    node_ids = _bind_nodes(client, template_version_id, tasks)
    rows = [requests.task(node, array_id, resources_id, f"run {node}") for node in node_ids]
    task_ids = bind_tasks(client.ask, workflow_id, rows)
    run_id = client.ask(requests.create_run(workflow_id, INCREMENT))["workflow_run_id"]
    client.ask(requests.move_run(run_id, "B"))
    client.ask(requests.queue(array_id, task_ids, resources_id, run_id))
    for chunk in chunks(_in_status(client, run_id, "Q"), IDS_PER_CALL):
        client.ask(requests.instantiate(chunk))
    client.ask(requests.launch(array_id, 1, INCREMENT))
    launched = _in_status(client, run_id, "O")
    if len(launched) != tasks:
        raise UnansweredError(f"{len(launched)} of {tasks} instances are launched")
    return Batch(workflow_id, array_id, run_id, launched)


def _bind_nodes(client: Client, template_version_id: int, tasks: int) -> list[int]:
    asked = (requests.bind_nodes(template_version_id, chunk) for chunk in chunks(range(tasks), IDS_PER_CALL))
    return sorted(int(node_id) for each in asked for node_id in client.ask(each)["nodes"].values())


def start(client: Client, instance_ids: Sequence[int]) -> dict[int, int]:
    """Make launched instances RUNNING. Returns the id of each one's task.

    Raises:
        UnansweredError: one was refused.
    """
    replies = {each: client.ask(requests.log_running(each, "node-1", 4711, INCREMENT)) for each in instance_ids}
    return {each: int(reply["task_instance"][3]) for each, reply in replies.items()}


def _in_status(client: Client, run_id: int, status: str) -> list[int]:
    updates = client.ask(requests.poll(run_id, status))["status_updates"]
    return sorted(int(each) for each in updates.get(status, []))
