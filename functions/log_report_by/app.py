"""POST /api/v3/task_instance/{task_instance_id}/log_report_by: a heartbeat."""

from lockstep.advance import log_report_by
from lockstep.endpoint import endpoint
from lockstep.wire import DistributorId, Increment, InstancePath, Path, Request, StatusReply, said


class Heartbeat(Request):
    """When the instance will be heard of next."""

    next_report_increment: Increment
    distributor_id: DistributorId | None = None
    stdout: Path | None = None
    stderr: Path | None = None


@endpoint(InstancePath, Heartbeat)
def lambda_handler(path: InstancePath, body: Heartbeat) -> StatusReply:
    """Move report_by, whatever the status; from TRIAGING back to RUNNING. Anything but R stops the worker node."""
    return StatusReply(status=log_report_by(path.task_instance_id, said(body)))
