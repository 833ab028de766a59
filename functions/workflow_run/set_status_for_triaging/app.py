"""Sweep a run for instances that fell silent."""

from lockstep.http.common import NoReply
from lockstep.http.endpoint import endpoint
from lockstep.workflow_run.path import RunPath
from lockstep.workflow_run.sweep import sweep


@endpoint("set_status_for_triaging")
def lambda_handler(path: RunPath) -> NoReply:
    """Move overdue RUNNING to TRIAGING, LAUNCHED to NO_HEARTBEAT, and settle instances that nobody else settles."""
    sweep(path.workflow_run_id)
    return NoReply()
