"""The worker node starts."""

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import DistributorId, Increment, Nodename, ProcessGroupId
from lockstep.http.models import Reply, Request
from lockstep.task_instance.claim import StartRow, log_running
from lockstep.task_instance.report import InstancePath, reported_fields


class Start(Request):
    """The worker node's names, and the seconds until its next report is due."""

    process_group_id: ProcessGroupId
    next_report_increment: Increment
    nodename: Nodename | None = None
    distributor_id: DistributorId | None = None


class StartReply(Reply):
    """The instance's status and command. If the status is not R, the worker node must stop."""

    task_instance: StartRow


@endpoint("log_running")
def lambda_handler(path: InstancePath, body: Start) -> StartReply:
    """Store the worker node and move to RUNNING, or from KILL_SELF to ERROR_FATAL, or from NO_HEARTBEAT to ERROR."""
    return StartReply(task_instance=log_running(path.instance, reported_fields(body)))
