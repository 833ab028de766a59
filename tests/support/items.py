"""Items as functions store them, for tests that put them into a table or a stream themselves: each is of number 7."""

from typing import Any, Final

from lockstep.array.item import Array, Batch, array_listed_as, batch_listed_as, listed_in
from lockstep.task.item import Task
from lockstep.task_instance.item import InstanceKey, TaskInstance, array_step_key
from lockstep.workflow.item import ALL_WORKFLOWS, Workflow, workflow_listed_as

NUMBER: Final = 7
"""Of the array, its run and its workflow, unless it is said otherwise."""


def task(task_id: int, status: str, **more: Any) -> Task:
    ids = {"array_id": NUMBER, "workflow_id": NUMBER}
    usual = {"status_date": 1.0, "num_attempts": 1, "max_attempts": 3, "num_instances": 1, "spec_version": 1, **ids}
    return Task(*Task.key(task_id), status=status, **(usual | more))


def instance(key: InstanceKey, status: str, **more: Any) -> TaskInstance:
    place = {"array_step": array_step_key(NUMBER, 1, 0), "array_step_id": 0}
    of_batch = {"workflow_run_id": NUMBER, "array_id": NUMBER, "array_batch_num": 1, "task_resources_id": 1, **place}
    usual: dict[str, Any] = {"status_date": 1.0, "spec_version": 1, **of_batch}
    return TaskInstance(*TaskInstance.key(key), status=status, **(usual | more))


def array(number: int = NUMBER, *, workflow_id: int = NUMBER, **more: Any) -> Array:
    usual: dict[str, Any] = {
        "name": "a",
        "task_template_version_id": 1,
        "max_concurrently_running": 1,
        "num_batches": 0,
    }
    listed = {"listed_in": listed_in(workflow_id), "listed_as": array_listed_as(number)}
    return Array(*Array.key(number), workflow_id=workflow_id, **(usual | listed | more))


def batch(array_id: int, number: int, size: int, *, workflow_id: int = NUMBER, **more: Any) -> Batch:
    usual = {"num_instances": size, "task_resources_id": 1, "workflow_run_id": NUMBER}
    listed = {"listed_in": listed_in(workflow_id), "listed_as": batch_listed_as(array_id, number)}
    return Batch(*Batch.key(array_id, number), size=size, **(usual | listed | more))


def workflow(number: int, status: str, **more: Any) -> Workflow:
    usual: dict[str, Any] = {"status_date": 1.0, "created_date": 1.0}
    listed = {"listed_in": ALL_WORKFLOWS, "listed_as": workflow_listed_as(number)}
    return Workflow(*Workflow.key(number), status=status, **(usual | listed | more))
