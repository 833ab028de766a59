"""POST /api/v3/task_instance/{task_instance_id}/log_error_worker_node: the command failed."""

from lockstep.advance import transit_ti_and_t
from lockstep.endpoint import endpoint
from lockstep.store import Said
from lockstep.transitions import failure_of_worker
from lockstep.wire import ErrorState, InstancePath, StatusReply, Text, WorkerReport, said


class Failure(WorkerReport):
    """How the command ended."""

    error_state: ErrorState
    error_description: Text


@endpoint(InstancePath, Failure)
def lambda_handler(path: InstancePath, body: Failure) -> StatusReply:
    """Move to error_state, from TRIAGING through RUNNING in one write; add the error entry even when refused."""
    what = said(body).and_also(Said(error=body.error_description))
    return StatusReply(status=transit_ti_and_t(path.task_instance_id, failure_of_worker(body.error_state), what).status)
