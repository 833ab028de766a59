"""POST /api/v3/task_instance/{task_instance_id}/log_running: the worker node starts."""

from lockstep.endpoint import endpoint
from lockstep.starting import StartRow, log_running
from lockstep.wire import DistributorId, Increment, InstancePath, Nodename, ProcessGroupId, Reply, Request, said


class Start(Request):
    """Who runs the command, and when it will be heard of next."""

    process_group_id: ProcessGroupId
    next_report_increment: Increment
    nodename: Nodename | None = None
    distributor_id: DistributorId | None = None


class StartReply(Reply):
    """What to run, if the status is R; otherwise the worker node must stop."""

    task_instance: StartRow


@endpoint(InstancePath, Start)
def lambda_handler(path: InstancePath, body: Start) -> StartReply:
    """Store who runs it and move to RUNNING; from KILL_SELF to ERROR_FATAL and from NO_HEARTBEAT to ERROR instead."""
    return StartReply(task_instance=log_running(path.task_instance_id, said(body)))
