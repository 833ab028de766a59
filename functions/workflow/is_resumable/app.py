"""Say whether another run of a workflow may be linked."""

from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply
from lockstep.workflow.path import WorkflowPath
from lockstep.workflow_run.handover import resumable


class ResumableReply(Reply):
    """Whether a run may be linked, and the number of instances of earlier runs not yet told to stop."""

    workflow_is_resumable: bool
    pending_kill_self: int


@endpoint("is_resumable")
def lambda_handler(path: WorkflowPath) -> ResumableReply:
    """Say whether a run may be linked; a client asks until it may. End a run whose client is gone."""
    found = resumable(path.workflow_id)
    return ResumableReply(workflow_is_resumable=found.resumable, pending_kill_self=found.pending)
