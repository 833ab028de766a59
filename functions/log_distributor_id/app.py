"""POST /api/v3/task_instance/{task_instance_id}/log_distributor_id: the cluster accepted the submission."""

from lockstep.advance import Outcome, log_distributor_id
from lockstep.endpoint import endpoint
from lockstep.transitions import Kind, Refusal
from lockstep.wire import DistributorId, Increment, InstancePath, MessageReply, Request, said


class Launch(Request):
    """The id that the cluster gave, and when the instance will be heard of next."""

    distributor_id: DistributorId
    next_report_increment: Increment


@endpoint(InstancePath, Launch)
def lambda_handler(path: InstancePath, body: Launch) -> MessageReply:
    """Store both, whatever the status, and move to LAUNCHED."""
    return MessageReply(message=_in_words(log_distributor_id(path.task_instance_id, said(body))))


def _in_words(outcome: Outcome) -> str:
    if not isinstance(outcome.ruling, Refusal):
        return "Task instance transitioned to LAUNCHED"
    if outcome.ruling.kind is Kind.SETTLED:
        return "Task instance in final state, no transition needed"
    return f"Unable to transition to launched from {outcome.status}"
