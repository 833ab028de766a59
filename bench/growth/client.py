"""The requests with which Jobmon's client binds a workflow, 500 nodes or tasks at a time, and follows it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lockstep.dynamodb.parallel import chunks
from sim import requests
from sim.requests import Request
from sim.workflow import IDS_PER_CALL


@dataclass(frozen=True, slots=True)
class Ground:
    """The workflow, arrays and resources that tasks are bound to."""

    workflow_id: int
    array_id: int
    resources_id: int


def nodes(template_version_id: int, tasks: int) -> Iterator[Request]:
    """Give all nodes their ids."""
    return (requests.bind_nodes(template_version_id, chunk) for chunk in chunks(range(tasks), IDS_PER_CALL))


def edges(dag_id: int, node_ids: Sequence[int]) -> Iterator[Request]:
    """Store a tree: each task waits for one, and two wait for it."""
    tasks = len(node_ids)
    for chunk in chunks(range(tasks), IDS_PER_CALL):
        added = [
            {
                "node_id": node_ids[each],
                "upstream_node_ids": [node_ids[(each - 1) // 2]] if each else [],
                "downstream_node_ids": [node_ids[below] for below in (2 * each + 1, 2 * each + 2) if below < tasks],
            }
            for each in chunk
        ]
        body = {"edges_to_add": added, "mark_created": chunk[-1] == tasks - 1}
        yield Request("POST", f"/dag/{dag_id}/edges", body)


def bind(ground: Ground, node_ids: Sequence[int]) -> Iterator[Request]:
    """Bind a task for each node."""
    for chunk in chunks(enumerate(node_ids), IDS_PER_CALL):
        tasks = [
            requests.task(node_id, ground.array_id, ground.resources_id, f"run --place {place} --year 2026")
            for place, node_id in chunk
        ]
        yield requests.bind_tasks(ground.workflow_id, tasks)


def arguments(task_ids: Sequence[int]) -> Iterator[Request]:
    """Store the one task argument of each."""
    for chunk in chunks(task_ids, IDS_PER_CALL):
        yield Request("PUT", "/task/bind_task_args", {"task_args": [[task_id, 1, "2026"] for task_id in chunk]})
