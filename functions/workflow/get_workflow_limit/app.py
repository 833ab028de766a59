"""Show how many of a workflow's tasks may run at once."""

from lockstep.http.common import LimitReply
from lockstep.http.endpoint import endpoint
from lockstep.workflow.path import WorkflowPath
from lockstep.workflow.read import read_workflow


@endpoint("get_workflow_limit")
def lambda_handler(path: WorkflowPath) -> LimitReply:
    """Return the limit. A client asks for it at every poll; the read may lag."""
    return LimitReply(max_concurrently_running=read_workflow(path.workflow_id, consistent=False).limit)
