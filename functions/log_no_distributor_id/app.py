"""POST /api/v3/task_instance/{task_instance_id}/log_no_distributor_id: the submission gave no distributor id."""

from lockstep.advance import Outcome, transit_ti_and_t
from lockstep.endpoint import endpoint
from lockstep.store import Said
from lockstep.transitions import LAUNCH_FAILED
from lockstep.wire import InstancePath, MessageReply, Request, Text


class LaunchFailure(Request):
    """Why there is no id."""

    no_id_err_msg: Text


@endpoint(InstancePath, LaunchFailure)
def lambda_handler(path: InstancePath, body: LaunchFailure) -> MessageReply:
    """Move to NO_DISTRIBUTOR_ID; add the error entry even when refused."""
    outcome = transit_ti_and_t(path.task_instance_id, LAUNCH_FAILED, Said(error=body.no_id_err_msg))
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
