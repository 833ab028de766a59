"""Records of the table's stream, as a pipe hands them on."""

from typing import Any, Final

from lockstep.task.item import Task
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.workflow.item import Workflow
from lockstep.workflow_run.item import WorkflowRun

AT: Final = 1_760_000_000.25
WHEN: Final = "2025-10-09T08:53:20.250000+00:00"
RUN: Final = 1005


def instance(status: str, **more: Any) -> TaskInstance:
    given: dict[str, Any] = {
        "workflow_run_id": RUN,
        "array_id": 7,
        "array_batch_num": 1,
        "array_step": "7#1#0",
        "array_step_id": 0,
        "task_resources_id": 1,
        "spec_version": 1,
    }
    return TaskInstance(*TaskInstance.key(InstanceKey(42, 3)), status=status, status_date=AT, **(given | more))


def task(status: str, num_attempts: int = 1, **more: Any) -> Task:
    given: dict[str, Any] = {"max_attempts": 3, "num_instances": 3, "spec_version": 1, "array_id": 7, "workflow_id": 9}
    return Task(*Task.key(42), status=status, status_date=AT, num_attempts=num_attempts, **(given | more))


def run(status: str, **more: Any) -> WorkflowRun:
    return WorkflowRun(*WorkflowRun.key(RUN), status=status, status_date=AT, workflow_id=9, **more)


def workflow(status: str, **more: Any) -> Workflow:
    return Workflow(*Workflow.key(9), status=status, status_date=AT, **more)
