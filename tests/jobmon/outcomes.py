"""Read the statuses of a workflow's tasks and the outcomes of a task's attempts from the API."""

from dataclasses import dataclass
from http import HTTPStatus
from itertools import count
from typing import Any

import httpx

from lockstep.task_instance.item import InstanceKey


@dataclass(frozen=True, slots=True)
class Attempt:
    """A task instance: its status, its output and the texts of its error entries, oldest first."""

    status: str
    printed: str
    errors: list[str]


def statuses(api: httpx.Client, workflow_id: int) -> dict[str, int]:
    """Count the workflow's tasks by status."""
    reply = api.post(f"/workflow/{workflow_id}/task_status_updates", json={}).raise_for_status().json()
    return {status: len(ids) for status, ids in reply["tasks_by_status"].items()}


def attempts(api: httpx.Client, task_id: int) -> list[Attempt]:
    """Return all attempts at a task, oldest first."""
    found = []
    for number in count(1):
        instance_id = InstanceKey(task_id, number).id
        reply = api.get(f"/task_instance/{instance_id}")
        if reply.status_code == HTTPStatus.NOT_FOUND:
            break
        found.append(_attempt(api, instance_id, reply.raise_for_status().json()["task_instance"]))
    return found


def ends(api: httpx.Client, task_id: int) -> str:
    """Return the statuses of all attempts at a task, oldest first."""
    return "".join(attempt.status for attempt in attempts(api, task_id))


def _attempt(api: httpx.Client, instance_id: int, instance: dict[str, Any]) -> Attempt:
    log = api.get(f"/task_instance/{instance_id}/task_instance_error_log").raise_for_status().json()
    errors = [description for _, _, description in log["task_instance_error_log"]]
    return Attempt(instance["status"], instance["stdout_log"] or "", errors)
