"""Prepared states for tests, each with ids of its own."""

from itertools import count
from typing import Any, Final

from local.seed import Seed, load
from lockstep.task.item import MAX_INLINE_SPEC_BYTES
from lockstep.task_instance.item import InstanceKey

_IDS: Final = count(10_000_000, 1_000)
"""Far apart: the API goes on counting from the last one that it has seen."""


def running(**instance: Any) -> int:
    """The id of a new task instance that is RUNNING with its task, or as the arguments say. `task` holds the task's."""
    return pair("R", "R", **instance)


def pair(
    status: str, task_status: str, *, attempt: int = 1, task: dict[str, Any] | None = None, **instance: Any
) -> int:
    """The id of a new task instance in a status, with its task in another. Of earlier attempts nothing is kept."""
    number = next(_IDS)
    task_instance_id = InstanceKey(number, attempt).id
    seed = {
        "arrays": [
            {
                "array_id": number,
                "name": "a",
                "workflow_id": number,
                "task_template_version_id": 1,
                "max_concurrently_running": 10,
            }
        ],
        "tasks": [
            {
                "task_id": number,
                "status": task_status,
                "num_attempts": 1,
                "max_attempts": 3,
                "workflow_id": number,
                "array_id": number,
                "name": "t",
                "command": "true",
                "task_resources_id": 1,
                "requested_resources": {"stdout": "/logs/out", "stderr": "/logs/err"},
                **(task or {}),
            }
        ],
        "task_instances": [
            {
                "task_instance_id": task_instance_id,
                "status": status,
                "workflow_run_id": number,
                "array_id": number,
                "array_batch_num": 1,
                "array_step_id": 0,
                "task_resources_id": 1,
                "report_by_in": 1000,
                **instance,
            }
        ],
    }
    load(Seed.model_validate(seed))
    return task_instance_id


def batch(*rows: dict[str, Any], held: bool = False) -> list[int]:
    """The ids of new task instances, each of a task of its own, in one batch of a new array; they are of one new run.

    A row holds an instance's status, and more of it as it may be; `task` holds the task's.
    held: the run holds the workflow, of which these are all tasks.
    """
    number = next(_IDS)
    tasks, instances = [], []
    for step, row in enumerate(rows):
        task_id = number * 100_000 + step
        of_instance = {name: value for name, value in row.items() if name != "task"}
        of_task = {"status": _TASK_OF.get(row["status"], row["status"]), **row.get("task", {})}
        tasks.append({**_TASK, "task_id": task_id, "workflow_id": number, "array_id": number, **of_task})
        instances.append(
            {
                "task_instance_id": InstanceKey(task_id, 1).id,
                "workflow_run_id": number,
                "array_id": number,
                "array_batch_num": 1,
                "array_step_id": step,
                "task_resources_id": 1,
                "report_by_in": None if row["status"] in "QI" else 1000,
                **of_instance,
            }
        )
    array = {"array_id": number, "name": "a", "workflow_id": number, "task_template_version_id": 1}
    arrays = [{**array, "max_concurrently_running": 10}]
    workflows = [{"workflow_id": number, "status": "O", "workflow_run_id": number}] if held else []
    seed = {"workflows": workflows, "arrays": arrays, "tasks": tasks, "task_instances": instances}
    load(Seed.model_validate(seed))
    return [instance["task_instance_id"] for instance in instances]


_TASK_OF: Final = {"T": "R", "K": "R", "X": "O", "U": "G", "Z": "A", "W": "G", "E": "G"}
LONG_COMMAND: Final = "true #" + "x" * MAX_INLINE_SPEC_BYTES
"""One that a task's own item does not hold."""
_TASK: Final = {"num_attempts": 1, "max_attempts": 3, "name": "t", "command": "true", "task_resources_id": 1}


def a_dag(*edges: tuple[int, list[int], list[int]], tasks: int = 0) -> int:
    """The id of a new DAG with these edges: node, upstream nodes, downstream nodes.

    Tasks have its id, and the ids after that. Each is of the node with its number: 1, 2, …
    """
    number = next(_IDS)
    names = ("node_id", "upstream_node_ids", "downstream_node_ids")
    dag = {"dag_id": number, "edges": [dict(zip(names, edge, strict=True)) for edge in edges]}
    task = {**_TASK, "status": "G", "num_attempts": 0, "workflow_id": number, "array_id": number}
    rows = [{**task, "task_id": number + at, "node_id": at + 1} for at in range(tasks)]
    array = {"array_id": number, "name": "a", "workflow_id": number, "task_template_version_id": 1}
    arrays = [{**array, "max_concurrently_running": 10}]
    load(Seed.model_validate({"dags": [dag], "arrays": arrays, "tasks": rows}))
    return number


def run_of(task_instance_id: int) -> int:
    """The run of an instance that batch made."""
    return task_instance_id // 1000 // 100_000
