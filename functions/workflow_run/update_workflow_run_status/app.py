"""A client or a distributor moves a run."""

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import SaidStatus
from lockstep.http.models import Request
from lockstep.workflow_run.lifecycle import update_status
from lockstep.workflow_run.path import RunPath
from lockstep.workflow_run.views import RunStatusReply


class RunMove(Request):
    """The status that the run is to move to."""

    status: SaidStatus


@endpoint("update_workflow_run_status")
def lambda_handler(path: RunPath, body: RunMove) -> RunStatusReply:
    """Move the run, if it may make that move."""
    return RunStatusReply(status=update_status(path.workflow_run_id, body.status))
