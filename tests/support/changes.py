"""Records of the table's stream, as a pipe hands them on."""

from typing import Any, Final

from lockstep.task.item import Task
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.workflow.item import Workflow
from lockstep.workflow_run.item import WorkflowRun
from tests.support import items

AT: Final = 1_760_000_000.25
WHEN: Final = "2025-10-09T08:53:20.250000+00:00"
RUN: Final = 1005


def instance(status: str, **more: Any) -> TaskInstance:
    return items.instance(InstanceKey(42, 3), status, **({"status_date": AT, "workflow_run_id": RUN} | more))


def task(status: str, num_attempts: int = 1, **more: Any) -> Task:
    return items.task(42, status, status_date=AT, num_attempts=num_attempts, num_instances=3, workflow_id=9, **more)


def run(status: str, **more: Any) -> WorkflowRun:
    return WorkflowRun(*WorkflowRun.key(RUN), status=status, status_date=AT, workflow_id=9, **more)


def workflow(status: str, **more: Any) -> Workflow:
    return items.workflow(9, status, status_date=AT, **more)
