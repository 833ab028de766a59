"""POST /api/v3/workflow_run/{workflow_run_id}/log_heartbeat: a run's client is alive."""

from lockstep.clock import now
from lockstep.endpoint import endpoint
from lockstep.statuses import WorkflowRunStatus
from lockstep.wire import Increment, Request, RunPath, RunStatusReply
from lockstep.workflow_runs import log_heartbeat


class RunHeartbeat(Request):
    """Where the client believes its run to be, and when it will be heard of next."""

    status: WorkflowRunStatus
    next_report_increment: Increment


@endpoint(RunPath, RunHeartbeat)
def lambda_handler(path: RunPath, body: RunHeartbeat) -> RunStatusReply:
    """Store when, and move the run if it may. A client that hears C or H terminates its run."""
    return RunStatusReply(status=log_heartbeat(path.workflow_run_id, body.status, now() + body.next_report_increment))
