"""POST /api/v3/workflow_run/{workflow_run_id}/set_status_for_triaging: the sweep for what fell silent."""

from lockstep.endpoint import endpoint
from lockstep.sweeping import sweep
from lockstep.wire import NoReply, Nothing, RunPath


@endpoint(RunPath, Nothing)
def lambda_handler(path: RunPath, _: Nothing) -> NoReply:
    """Move overdue RUNNING to TRIAGING and LAUNCHED to NO_HEARTBEAT; settle what nobody settles."""
    sweep(path.workflow_run_id)
    return NoReply()
