"""PUT /api/v3/workflow_run/{workflow_run_id}/update_status: a client or a distributor moves a run."""

from lockstep.endpoint import endpoint
from lockstep.statuses import WorkflowRunStatus
from lockstep.wire import Request, RunPath, RunStatusReply
from lockstep.workflow_runs import update_status


class RunMove(Request):
    """Where the run shall go."""

    status: WorkflowRunStatus


@endpoint(RunPath, RunMove)
def lambda_handler(path: RunPath, body: RunMove) -> RunStatusReply:
    """Move the run, if it may make that move."""
    return RunStatusReply(status=update_status(path.workflow_run_id, body.status))
