"""A run's client sends a heartbeat."""

from lockstep.clock import now
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Increment, SaidStatus
from lockstep.http.models import Request
from lockstep.workflow_run.lifecycle import log_heartbeat
from lockstep.workflow_run.path import RunPath
from lockstep.workflow_run.views import RunStatusReply


class RunHeartbeat(Request):
    """The run's status as its client knows it, and the seconds until the next heartbeat is due."""

    status: SaidStatus
    next_report_increment: Increment


@endpoint("log_workflow_run_heartbeat")
def lambda_handler(path: RunPath, body: RunHeartbeat) -> RunStatusReply:
    """Store the due time, and move the run if it may move. A client that is answered C or H terminates its run."""
    return RunStatusReply(status=log_heartbeat(path.workflow_run_id, body.status, now() + body.next_report_increment))
