"""Prepared states for tests, each with ids of its own."""

from collections.abc import Iterable
from itertools import count
from typing import Any, Final

from local.seed import Seed, load
from lockstep.task.item import MAX_INLINE_SPEC_BYTES
from lockstep.task_instance.item import InstanceKey

Row = dict[str, Any]
LONG_COMMAND: Final = "true #" + "x" * MAX_INLINE_SPEC_BYTES
"""One that a task's own item does not hold."""
_IDS: Final = count(10_000_000, 1_000)
"""Far apart: the API goes on counting from the last one that it has seen."""
_ARRAY: Final = {"name": "a", "task_template_version_id": 1, "max_concurrently_running": 10}
_TASK: Final = {"num_attempts": 1, "max_attempts": 3, "name": "t", "command": "true", "task_resources_id": 1}
_TASK_OF: Final = {"T": "R", "K": "R", "X": "O", "U": "G", "Z": "A", "W": "G", "E": "G"}


def plant(number: int, tasks: Iterable[Row], instances: Iterable[Row] = (), **more: Any) -> None:
    """Load an array with its tasks, and their instances in one batch; it, its workflow and its run have this number.

    more: of the array; `workflows` and `dags` besides.
    """
    of_workflow = {"workflow_id": number, "array_id": number}
    of_batch = {"workflow_run_id": number, "array_id": number, "array_batch_num": 1, "task_resources_id": 1}
    beside = {kind: more.pop(kind) for kind in ("workflows", "dags") if kind in more}
    seed = {
        "arrays": [{**_ARRAY, **of_workflow, **more}],
        "tasks": [{**_TASK, **of_workflow, **task} for task in tasks],
        "task_instances": [{**of_batch, "array_step_id": step, **instance} for step, instance in enumerate(instances)],
    }
    load(Seed.model_validate(seed | beside))


def running(**instance: Any) -> int:
    """The id of a new task instance that is RUNNING with its task, or as the arguments say. `task` holds the task's."""
    return pair("R", "R", **instance)


def pair(
    status: str, task_status: str, *, attempt: int = 1, task: Row | None = None, array: Row | None = None, **more: Any
) -> int:
    """The id of a new task instance in a status, with its task in another. Of earlier attempts nothing is kept."""
    number = next(_IDS)
    task_instance_id = InstanceKey(number, attempt).id
    resources = {"stdout": "/logs/out", "stderr": "/logs/err"}
    tasks = [{"task_id": number, "status": task_status, "requested_resources": resources, **(task or {})}]
    instances = [{"task_instance_id": task_instance_id, "status": status, "report_by_in": 1000, **more}]
    plant(number, tasks, instances, **(array or {}))
    return task_instance_id


def batch(*rows: Row, held: bool = False) -> list[int]:
    """The ids of new task instances, each of a task of its own, in one batch of a new array; they are of one new run.

    A row holds an instance's status, and more of it as it may be; `task` holds the task's.
    held: the run holds the workflow, of which these are all tasks.
    """
    number = next(_IDS)
    tasks, instances = [], []
    for step, row in enumerate(rows):
        task_id = number * 100_000 + step
        of_instance = {name: value for name, value in row.items() if name != "task"}
        task_status = _TASK_OF.get(row["status"], row["status"])
        tasks.append({"task_id": task_id, "status": task_status, **row.get("task", {})})
        report_by = None if row["status"] in "QI" else 1000
        instances.append({"task_instance_id": InstanceKey(task_id, 1).id, "report_by_in": report_by, **of_instance})
    workflows = [{"workflow_id": number, "status": "O", "workflow_run_id": number}] if held else []
    plant(number, tasks, instances, workflows=workflows)
    return [instance["task_instance_id"] for instance in instances]


def a_dag(*edges: tuple[int, list[int], list[int]], tasks: int = 0) -> int:
    """The id of a new DAG with these edges: node, upstream nodes, downstream nodes.

    Tasks have its id, and the ids after that. Each is of the node with its number: 1, 2, …
    """
    number = next(_IDS)
    names = ("node_id", "upstream_node_ids", "downstream_node_ids")
    dag = {"dag_id": number, "edges": [dict(zip(names, edge, strict=True)) for edge in edges]}
    task = {"status": "G", "num_attempts": 0}
    plant(number, ({**task, "task_id": number + at, "node_id": at + 1} for at in range(tasks)), dags=[dag])
    return number


def run_of(task_instance_id: int) -> int:
    """The run of an instance that batch made."""
    return task_instance_id // 1000 // 100_000
