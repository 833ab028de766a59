"""Triage found the cause of a failure."""

from lockstep.fsm.reports import failure_known
from lockstep.http.common import MessageReply
from lockstep.http.endpoint import endpoint
from lockstep.task_instance.report import InstancePath
from lockstep.task_instance.triage import TriageReport, log_triaged


@endpoint("log_known_error")
def lambda_handler(path: InstancePath, body: TriageReport) -> MessageReply:
    """Move to error_state and add an error entry, or neither."""
    return log_triaged(path.instance, body, failure_known(body.error_state))
