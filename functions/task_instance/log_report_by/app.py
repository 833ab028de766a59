"""The worker node sends a heartbeat."""

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import DistributorId, FilePath, Increment
from lockstep.http.models import Request
from lockstep.task_instance.heartbeat import log_report_by
from lockstep.task_instance.report import InstancePath, StatusReply, reported_fields


class Heartbeat(Request):
    """The seconds until the next report is due."""

    next_report_increment: Increment
    distributor_id: DistributorId | None = None
    stdout: FilePath | None = None
    stderr: FilePath | None = None


@endpoint("log_report_by")
def lambda_handler(path: InstancePath, body: Heartbeat) -> StatusReply:
    """Move report_by, whatever the status; from TRIAGING back to RUNNING. Anything but R stops the worker node."""
    return StatusReply(status=log_report_by(path.instance, reported_fields(body)))
