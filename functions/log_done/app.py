"""POST /api/v3/task_instance/{task_instance_id}/log_done: the command finished."""

from lockstep.advance import transit_ti_and_t
from lockstep.endpoint import endpoint
from lockstep.transitions import FINISH
from lockstep.wire import InstancePath, StatusReply, WorkerReport, said


@endpoint(InstancePath, WorkerReport)
def lambda_handler(path: InstancePath, body: WorkerReport) -> StatusReply:
    """Move to DONE, from TRIAGING through RUNNING in one write."""
    return StatusReply(status=transit_ti_and_t(path.task_instance_id, FINISH, said(body)).status)
