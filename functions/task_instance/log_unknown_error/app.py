"""Triage found no cause of a failure."""

from lockstep.fsm.reports import failure_unknown
from lockstep.http.common import MessageReply
from lockstep.http.endpoint import endpoint
from lockstep.task_instance.report import InstancePath
from lockstep.task_instance.triage import TriageReport, log_triaged


@endpoint("log_unknown_error")
def lambda_handler(path: InstancePath, body: TriageReport) -> MessageReply:
    """Do as log_known_error, but only if report_by has passed: a heartbeat that came meanwhile wins."""
    return log_triaged(path.instance, body, failure_unknown(body.error_state))
