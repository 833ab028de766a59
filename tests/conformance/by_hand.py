"""What requests change that Lockstep does not serve, where a recorded session depends on it: done by hand."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from lockstep.context import request
from lockstep.fsm.statuses import TaskStatus, WorkflowStatus
from lockstep.task.item import Task
from lockstep.workflow.item import Workflow
from lockstep.workflow.left import all_done
from lockstep.workflow.progress import tasks_with
from lockstep.workflow.tasks import task_ids
from tests.conformance.client import Request
from tests.conformance.recording import put, substitute


def carry_out(exchange: Request, ids: Mapping[str, int]) -> None:
    """Change what a recorded request changed, if it changed anything."""
    effect = EFFECTS.get(exchange["route"])
    if effect and exchange["status"] == 200:
        with request():
            effect(substitute(exchange["path"], ids), substitute(exchange["body"], ids))


def _reset(path: str, body: dict[str, Any]) -> None:
    """Start the tasks of a workflow over; of a partial reset, those that are not done."""
    workflow_id = int(path.split("/")[-2])
    for task_id, task in tasks_with(list(task_ids(workflow_id)), consistent=True).items():
        if task.status != TaskStatus.DONE or not body["partial_reset"]:
            put(Task(*Task.key(task_id)), TaskStatus.REGISTERING)
    put(Workflow(*Workflow.key(workflow_id)), WorkflowStatus.REGISTERING)


def _update_statuses(_: str, body: dict[str, Any]) -> None:
    """Put tasks into a status. Their workflow has ended: it is done if all its tasks are."""
    for task_id in map(int, body["task_ids"]):
        put(Task(*Task.key(task_id)), body["new_status"])
    status = WorkflowStatus.DONE if all_done(body["workflow_id"]) else WorkflowStatus.FAILED
    put(Workflow(*Workflow.key(body["workflow_id"])), status)


EFFECTS: Final[dict[str, Callable[[str, dict[str, Any]], None]]] = {
    "/api/v3/workflow/{workflow_id}/reset": _reset,
    "/api/v3/task/update_statuses": _update_statuses,
}
"""By route."""
