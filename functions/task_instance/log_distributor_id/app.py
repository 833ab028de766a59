"""The cluster accepted the submission."""

from lockstep.fsm.transitions import Refusal, RefusalKind
from lockstep.http.common import MessageReply
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import DistributorId, Increment
from lockstep.http.models import Request
from lockstep.task_instance.heartbeat import log_distributor_id
from lockstep.task_instance.report import InstancePath, reported_fields
from lockstep.task_instance.transition import Outcome


class Launch(Request):
    """The id that the cluster gave the job, and the seconds until the next report is due."""

    distributor_id: DistributorId
    next_report_increment: Increment


@endpoint("log_distributor_id")
def lambda_handler(path: InstancePath, body: Launch) -> MessageReply:
    """Store the id and the due time, whatever the status, and move the instance to LAUNCHED."""
    return MessageReply(message=_in_words(log_distributor_id(path.instance, reported_fields(body))))


def _in_words(outcome: Outcome) -> str:
    if not isinstance(outcome.ruling, Refusal):
        return "Task instance transitioned to LAUNCHED"
    if outcome.ruling.kind is RefusalKind.SETTLED:
        return "Task instance in final state, no transition needed"
    return f"Unable to transition to launched from {outcome.status}"
