"""What triage found out about an instance: the part that log_known_error and log_unknown_error share."""

from lockstep.advance import Outcome, transit_ti_and_t
from lockstep.statuses import TaskInstanceStatus
from lockstep.store import Said
from lockstep.transitions import Kind, Refusal, Report
from lockstep.wire import DistributorId, ErrorState, MessageReply, Nodename, Request, Text, said


class TriageReport(Request):
    """A failure that somebody else than the worker node reports."""

    error_state: ErrorState
    error_message: Text
    distributor_id: DistributorId | None = None
    nodename: Nodename | None = None


def log_triaged(task_instance_id: int, body: TriageReport, report: Report) -> MessageReply:
    """Move the instance and add the error entry, or neither, and say why not in Jobmon's words."""
    outcome = transit_ti_and_t(task_instance_id, report, said(body), on_move=Said(error=body.error_message))
    return MessageReply(message=_why_not(outcome, body.error_state))


def _why_not(outcome: Outcome, error_state: TaskInstanceStatus) -> str:
    if not isinstance(outcome.ruling, Refusal):
        return ""
    if outcome.ruling.kind is Kind.REPORTED_MEANWHILE:
        return f"The task instance is {outcome.status} and {outcome.ruling.reason}"
    if outcome.status is error_state:
        return "Already in error state"
    return f"Invalid transition from {outcome.status} to {error_state}"
