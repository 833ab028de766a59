"""The worker node starts."""

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import DistributorId, Increment, Nodename, ProcessGroupId
from lockstep.http.models import Reply, Request
from lockstep.task_instance.claim import StartRow, log_running
from lockstep.task_instance.path import InstancePath
from lockstep.task_instance.report import reported_fields


class Start(Request):
    """Who runs the command, and when it will be heard of next."""

    process_group_id: ProcessGroupId
    next_report_increment: Increment
    nodename: Nodename | None = None
    distributor_id: DistributorId | None = None


class StartReply(Reply):
    """What to run, if the status is R; otherwise the worker node must stop."""

    task_instance: StartRow


@endpoint("log_running")
def lambda_handler(path: InstancePath, body: Start) -> StartReply:
    """Store who runs it and move to RUNNING; from KILL_SELF to ERROR_FATAL and from NO_HEARTBEAT to ERROR instead."""
    return StartReply(task_instance=log_running(path.instance, reported_fields(body)))
