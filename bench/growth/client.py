"""The requests with which Jobmon's client binds a workflow, 500 nodes or tasks at a time, and follows it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sim import requests
from sim.requests import Request
from sim.workflow import IDS_PER_CALL


@dataclass(frozen=True, slots=True)
class Ground:
    """What tasks are bound to."""

    template_version_id: int
    workflow_id: int
    array_id: int
    resources_id: int


def post(path: str, **body: Any) -> Request:
    """Send a body."""
    return Request("POST", path, body)


def template(tool_version_id: int) -> Request:
    """Find or create the one task template."""
    return post("/task_template", tool_version_id=tool_version_id, task_template_name="step")


def template_version(task_template_id: int) -> Request:
    """Find or create its version: a node argument and a task argument."""
    names = {"node_args": ["place"], "task_args": ["year"], "op_args": []}
    body = {"command_template": "run {place} {year}", "arg_mapping_hash": "1", **names}
    return post(f"/task_template/{task_template_id}/add_version", **body)


def workflow(tool_version_id: int, tasks: int) -> Request:
    """Create the workflow, or find it again."""
    name = f"growth to {tasks}"
    key = {"tool_version_id": tool_version_id, "dag_id": tasks, "workflow_args_hash": str(tasks), "task_hash": "1"}
    described = {"description": "", "name": name, "workflow_args": name, "workflow_attributes": {}}
    return post("/workflow", **key, **described, max_concurrently_running=10_000)


def nodes(template_version_id: int, tasks: int) -> Iterator[Request]:
    """Give all nodes their ids."""
    for chunk in _chunks(tasks):
        described = [
            {"task_template_version_id": template_version_id, "node_args_hash": str(each), "node_args": {}}
            for each in chunk
        ]
        yield post("/nodes", nodes=described)


def edges(dag_id: int, node_ids: Sequence[int]) -> Iterator[Request]:
    """Store a tree: each task waits for one, and two wait for it."""
    tasks = len(node_ids)
    for chunk in _chunks(tasks):
        added = [
            {
                "node_id": node_ids[each],
                "upstream_node_ids": [node_ids[(each - 1) // 2]] if each else [],
                "downstream_node_ids": [node_ids[below] for below in (2 * each + 1, 2 * each + 2) if below < tasks],
            }
            for each in chunk
        ]
        yield post(f"/dag/{dag_id}/edges", edges_to_add=added, mark_created=chunk.stop == tasks)


def bind(ground: Ground, node_ids: Sequence[int], *, start_over: bool = False) -> Iterator[Request]:
    """Bind all tasks. start_over: reset those that run."""
    for chunk in _chunks(len(node_ids)):
        tasks = [
            requests.task(
                node_ids[each],
                ground.array_id,
                ground.resources_id,
                f"run --place {each} --year 2026",
                start_over=start_over,
            )
            for each in chunk
        ]
        yield requests.bind_tasks(ground.workflow_id, tasks)


def arguments(task_ids: Sequence[int]) -> Iterator[Request]:
    """Store the one task argument of each."""
    for chunk in _chunks(len(task_ids)):
        yield Request("PUT", "/task/bind_task_args", {"task_args": [[task_ids[each], 1, "2026"] for each in chunk]})


def poll(workflow_id: int, last_sync: str | None = None) -> Request:
    """Ask for the status of all tasks, or for what has changed since a time that the server told."""
    if last_sync is None:
        return post(f"/workflow/{workflow_id}/task_status_updates")
    return requests.poll_workflow(workflow_id, last_sync)


def start_over(workflow_id: int) -> Request:
    """Let all tasks that are not done start over."""
    return post(f"/task/{workflow_id}/set_resume_state", reset_if_running=True)


def _chunks(number: int) -> Iterator[range]:
    return (range(first, min(first + IDS_PER_CALL, number)) for first in range(0, number, IDS_PER_CALL))
