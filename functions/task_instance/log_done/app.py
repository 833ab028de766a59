"""The command finished."""

from lockstep.fsm.reports import FINISH
from lockstep.http.endpoint import endpoint
from lockstep.task_instance.path import InstancePath
from lockstep.task_instance.report import Report, reported_fields
from lockstep.task_instance.transition import transit_ti_and_t
from lockstep.task_instance.worker import StatusReply, WorkerReport


@endpoint("log_done")
def lambda_handler(path: InstancePath, body: WorkerReport) -> StatusReply:
    """Move to DONE; from TRIAGING through RUNNING, both in one transaction."""
    report = Report(path.instance, FINISH, reported_fields(body))
    return StatusReply(status=transit_ti_and_t(report).status)
