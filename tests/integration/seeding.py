"""Prepared states for the integration tests, each with ids of its own."""

from itertools import count
from typing import Any, Final

from local.seed import Seed, load
from lockstep import keys

_IDS: Final = count(10_000_000)


def running(**instance: Any) -> int:
    """The id of a new task instance that is RUNNING with its task, or as the arguments say. `task` holds the task's."""
    return pair("R", "R", **instance)


def pair(status: str, task_status: str, *, task: dict[str, Any] | None = None, **instance: Any) -> int:
    """The id of a new task instance in a status, with its task in another."""
    number = next(_IDS)
    task_instance_id = keys.task_instance_id(number, 1)
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
