"""Create a workflow, or find it again by its tool version, tasks and arguments."""

from lockstep.fsm.statuses import WorkflowStatus
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Attributes, DagId, HashNumber, Id, LongText, Name, SmallCount
from lockstep.http.models import Reply, Request
from lockstep.workflow.bind import Description, NaturalKey, bind_workflow


class WorkflowToBind(Request):
    """A workflow's identity (tool version, DAG and hashes), and its description."""

    tool_version_id: Id
    dag_id: DagId
    workflow_args_hash: HashNumber
    task_hash: HashNumber
    name: Name | None = None
    description: LongText | None = None
    workflow_args: LongText | None = None
    max_concurrently_running: SmallCount | None = None
    workflow_attributes: Attributes | None = None


class BoundWorkflowReply(Reply):
    """The workflow; newly created if nobody can have run it yet."""

    workflow_id: int
    status: WorkflowStatus
    newly_created: bool


@endpoint("bind_workflow")
def lambda_handler(body: WorkflowToBind) -> BoundWorkflowReply:
    """Create the workflow, or give a known one the new name, description, limit and attributes."""
    key = NaturalKey(body.workflow_args_hash, body.tool_version_id, body.dag_id, body.task_hash)
    details = Description(
        body.name, body.description, body.workflow_args, body.max_concurrently_running, body.workflow_attributes or {}
    )
    bound = bind_workflow(key, details)
    return BoundWorkflowReply(workflow_id=bound.workflow_id, status=bound.status, newly_created=bound.newly_created)
