"""The cluster killed what it was told to kill."""

from lockstep.array.move import move_batch
from lockstep.array.path import ArrayPath, BatchOfArray
from lockstep.fsm.reports import KILLED
from lockstep.http.common import NoReply
from lockstep.http.endpoint import endpoint


@endpoint("transition_to_killed")
def lambda_handler(path: ArrayPath, body: BatchOfArray) -> NoReply:
    """Move instances in KILL_SELF to ERROR_FATAL, and their tasks unless a resume has moved those already."""
    move_batch(path.array_id, body.batch_number, KILLED)
    return NoReply()
