"""POST /api/v3/array/{array_id}/transition_to_killed: the cluster killed what it was told to kill."""

from lockstep.arrays import move_batch
from lockstep.endpoint import endpoint
from lockstep.transitions import KILLED
from lockstep.wire import ArrayPath, BatchOfArray, NoReply


@endpoint(ArrayPath, BatchOfArray)
def lambda_handler(path: ArrayPath, body: BatchOfArray) -> NoReply:
    """Move those that are in KILL_SELF to ERROR_FATAL, and their tasks where a resume has not put them elsewhere."""
    move_batch(path.array_id, body.batch_number, KILLED)
    return NoReply()
