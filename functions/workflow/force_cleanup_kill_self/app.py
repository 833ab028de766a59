"""End what earlier runs of a workflow left in KILL_SELF, and the runs that end for a resume."""

from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply, WorkflowPath
from lockstep.workflow_run.handover import force_cleanup


class CleanupReply(Reply):
    """How many instances and runs this call ended."""

    num_cleaned_up: int
    num_workflow_runs_finalized: int


@endpoint("force_cleanup_kill_self")
def lambda_handler(path: WorkflowPath) -> CleanupReply:
    """A person who knows that the cluster runs nothing of it any more asks for this."""
    cleaned = force_cleanup(path.workflow_id)
    return CleanupReply(num_cleaned_up=cleaned.instances, num_workflow_runs_finalized=cleaned.runs)
