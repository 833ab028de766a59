"""Say whether another run of a workflow may be linked."""

from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply, WorkflowPath
from lockstep.workflow_run.handover import resumable


class ResumableReply(Reply):
    """Whether it may, and how many instances of earlier runs have still to hear that they must stop."""

    workflow_is_resumable: bool
    pending_kill_self: int


@endpoint("is_resumable")
def lambda_handler(path: WorkflowPath) -> ResumableReply:
    """A client that resumes a workflow asks until it may. A run whose client is gone ends here."""
    found = resumable(path.workflow_id)
    return ResumableReply(workflow_is_resumable=found.resumable, pending_kill_self=found.pending)
