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
    of_task = {
        "status": task_status,
        "requested_resources": {"stdout": "/logs/out", "stderr": "/logs/err"},
        **(task or {}),
    }
    of_instance = {"task_instance_id": InstanceKey(number, attempt).id, "status": status, **instance}
    _load(number, [_task(number, number, of_task)], [_instance(number, 0, of_instance)])
    return InstanceKey(number, attempt).id


def batch(*rows: dict[str, Any], held: bool = False) -> list[int]:
    """The ids of new task instances, each of a task of its own, in one batch of a new array; they are of one new run.

    A row holds an instance's status, and more of it as it may be; `task` holds the task's.
    held: the run holds the workflow, of which these are all tasks.
    """
    number = next(_IDS)
    tasks, instances = [], []
    for step, row in enumerate(rows):
        task_id = number * 100_000 + step
        of_task = {"status": _TASK_OF.get(row["status"], row["status"]), **row.get("task", {})}
        tasks.append(_task(number, task_id, of_task))
        report_by = {"report_by_in": None} if row["status"] in "QI" else {}
        of_instance = {name: value for name, value in row.items() if name != "task"}
        instances.append(
            _instance(number, step, {"task_instance_id": InstanceKey(task_id, 1).id, **report_by, **of_instance})
        )
    workflows = [{"workflow_id": number, "status": "O", "workflow_run_id": number}] if held else []
    _load(number, tasks, instances, workflows=workflows)
    return [instance["task_instance_id"] for instance in instances]


def _task(number: int, task_id: int, of_task: dict[str, Any]) -> dict[str, Any]:
    usual = {"num_attempts": 1, "max_attempts": 3, "name": "t", "command": "true", "task_resources_id": 1}
    return {**usual, "task_id": task_id, "workflow_id": number, "array_id": number, **of_task}


def _instance(number: int, step: int, of_instance: dict[str, Any]) -> dict[str, Any]:
    usual = {"array_batch_num": 1, "task_resources_id": 1, "report_by_in": 1000}
    return {**usual, "workflow_run_id": number, "array_id": number, "array_step_id": step, **of_instance}


def _load(number: int, tasks: list[dict[str, Any]], instances: list[dict[str, Any]], **more: Any) -> None:
    """Load an array with these tasks and instances."""
    array = {"array_id": number, "name": "a", "workflow_id": number, "task_template_version_id": 1}
    arrays = [{**array, "max_concurrently_running": 10}]
    load(Seed.model_validate({"arrays": arrays, "tasks": tasks, "task_instances": instances, **more}))


_TASK_OF: Final = {"T": "R", "K": "R", "X": "O", "U": "G", "Z": "A", "W": "G", "E": "G"}
LONG_COMMAND: Final = "true #" + "x" * MAX_INLINE_SPEC_BYTES
"""One that a task's own item does not hold."""


def a_dag(*edges: tuple[int, list[int], list[int]], tasks: int = 0) -> int:
    """The id of a new DAG with these edges: node, upstream nodes, downstream nodes.

    Tasks have its id, and the ids after that. Each is of the node with its number: 1, 2, …
    """
    number = next(_IDS)
    names = ("node_id", "upstream_node_ids", "downstream_node_ids")
    dag = {"dag_id": number, "edges": [dict(zip(names, edge, strict=True)) for edge in edges]}
    bound = {"status": "G", "num_attempts": 0}
    rows = [_task(number, number + at, {**bound, "node_id": at + 1}) for at in range(tasks)]
    _load(number, rows, [], dags=[dag])
    return number


def run_of(task_instance_id: int) -> int:
    """The run of an instance that batch made."""
    return task_instance_id // 1000 // 100_000
