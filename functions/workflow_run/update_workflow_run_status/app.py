"""A client or a distributor moves a run."""

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import SaidStatus
from lockstep.http.models import Request, RunPath, RunStatusReply
from lockstep.workflow_run.lifecycle import update_status


class RunMove(Request):
    """The status that the run is to move to."""

    status: SaidStatus


@endpoint("update_workflow_run_status")
def lambda_handler(path: RunPath, body: RunMove) -> RunStatusReply:
    """Move the run, if it may make that move."""
    return RunStatusReply(status=update_status(path.workflow_run_id, body.status))
