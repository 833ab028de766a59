"""Give more resources to the tasks of a workflow that failed for want of them."""

from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply
from lockstep.workflow.increase import increase_resources
from lockstep.workflow.path import WorkflowPath


class IncreaseReply(Reply):
    """The tasks that have more now."""

    updated_task_count: int
    updated_task_ids: list[int]


@endpoint("increase_resources")
def lambda_handler(path: WorkflowPath) -> IncreaseReply:
    """Increase each task's resources by its own scales. A task that shares its resources gets a set of its own."""
    ids = increase_resources(path.workflow_id)
    return IncreaseReply(updated_task_count=len(ids), updated_task_ids=ids)
