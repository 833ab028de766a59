"""The command failed."""

from lockstep.fsm.reports import failure_of_worker
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import ErrorState, Text
from lockstep.task_instance.report import InstancePath, Report, StatusReply, WorkerReport, reported_fields
from lockstep.task_instance.transition import transit_ti_and_t


class Failure(WorkerReport):
    """The failure: its error state, its description, and the command's output."""

    error_state: ErrorState
    error_description: Text


@endpoint("log_error_worker_node")
def lambda_handler(path: InstancePath, body: Failure) -> StatusReply:
    """Move to error_state, from TRIAGING through RUNNING in one write; add the error entry even when refused."""
    fields = reported_fields(body, error=body.error_description)
    report = Report(path.instance, failure_of_worker(body.error_state), fields)
    return StatusReply(status=transit_ti_and_t(report).status)
