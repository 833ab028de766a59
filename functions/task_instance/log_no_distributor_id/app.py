"""The submission gave no distributor id."""

from lockstep.fsm.reports import LAUNCH_FAILED
from lockstep.http.common import MessageReply
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Text
from lockstep.http.models import Request
from lockstep.task_instance.report import InstancePath, Report, ReportedFields
from lockstep.task_instance.transition import Outcome, transit_ti_and_t


class LaunchFailure(Request):
    """Why there is no id."""

    no_id_err_msg: Text


@endpoint("log_no_distributor_id")
def lambda_handler(path: InstancePath, body: LaunchFailure) -> MessageReply:
    """Move to NO_DISTRIBUTOR_ID; add the error entry even when refused."""
    fields = ReportedFields(error=body.no_id_err_msg)
    outcome = transit_ti_and_t(Report(path.instance, LAUNCH_FAILED, fields))
    return MessageReply(message=_why_not(path.task_instance_id, outcome))


def _why_not(task_instance_id: int, outcome: Outcome) -> str:
    if outcome.moved:
        return ""
    if outcome.status is LAUNCH_FAILED.target:
        return (
            "Attempting to transition to existing state."
            f"Not transitioning task, tid= {task_instance_id} from {outcome.status} to {outcome.status}"
        )
    return (
        "Illegal state transition. "
        f"Not transitioning task, tid={task_instance_id}, from {outcome.status} to {LAUNCH_FAILED.target}"
    )
