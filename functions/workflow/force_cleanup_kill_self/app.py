"""End what earlier runs of a workflow left in KILL_SELF, and the runs that end for a resume."""

from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply
from lockstep.workflow.path import WorkflowPath
from lockstep.workflow_run.handover import force_cleanup


class CleanupReply(Reply):
    """The numbers of instances and runs that this call ended."""

    num_cleaned_up: int
    num_workflow_runs_finalized: int


@endpoint("force_cleanup_kill_self")
def lambda_handler(path: WorkflowPath) -> CleanupReply:
    """End instances and runs. For a person who knows that the cluster runs nothing of the workflow any more."""
    cleaned = force_cleanup(path.workflow_id)
    return CleanupReply(num_cleaned_up=cleaned.instances, num_workflow_runs_finalized=cleaned.runs)
