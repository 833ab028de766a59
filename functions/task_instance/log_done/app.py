"""The command finished."""

from lockstep.fsm.reports import FINISH
from lockstep.http.endpoint import endpoint
from lockstep.task_instance.report import InstancePath, Report, StatusReply, WorkerReport, reported_fields
from lockstep.task_instance.transition import transit_ti_and_t


@endpoint("log_done")
def lambda_handler(path: InstancePath, body: WorkerReport) -> StatusReply:
    """Move to DONE; from TRIAGING too, by the rules of RUNNING, which is not written."""
    report = Report(path.instance, FINISH, reported_fields(body))
    return StatusReply(status=transit_ti_and_t(report).status)
