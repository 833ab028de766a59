"""Triage reports an error: the part that log_known_error and log_unknown_error share."""

from lockstep.fsm.reports import ReportRule
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.fsm.transitions import Refusal, RefusalKind
from lockstep.http.common import MessageReply
from lockstep.http.fields import DistributorId, ErrorState, Nodename, Text
from lockstep.http.models import Request
from lockstep.task_instance.item import InstanceKey
from lockstep.task_instance.report import Report, ReportedFields, reported_fields
from lockstep.task_instance.transition import Outcome, transit_ti_and_t


class TriageReport(Request):
    """A failure that triage reports, not the worker node."""

    error_state: ErrorState
    error_message: Text
    distributor_id: DistributorId | None = None
    nodename: Nodename | None = None


def log_triaged(instance: InstanceKey, body: TriageReport, rule: ReportRule) -> MessageReply:
    """Move the instance and add the error entry, or neither, and say why not in Jobmon's words."""
    entry = ReportedFields(error=body.error_message)
    outcome = transit_ti_and_t(Report(instance, rule, reported_fields(body), on_move=entry))
    return MessageReply(message=_why_not(outcome, body.error_state))


def _why_not(outcome: Outcome, error_state: TaskInstanceStatus) -> str:
    if not isinstance(outcome.ruling, Refusal):
        return ""
    if outcome.ruling.kind in {RefusalKind.REPORTED_MEANWHILE, RefusalKind.OTHER_JOB}:
        return f"The task instance is {outcome.status} and {outcome.ruling.reason}"
    if outcome.status is error_state:
        return "Already in error state"
    return f"Invalid transition from {outcome.status} to {error_state}"
