"""POST /api/v3/array/{array_id}/transition_to_launched: the cluster accepted a whole batch."""

from lockstep.arrays import move_batch
from lockstep.endpoint import endpoint
from lockstep.transitions import LAUNCH
from lockstep.wire import ArrayPath, BatchOfArray, Increment, NoReply, said


class BatchLaunch(BatchOfArray):
    """When these instances will be heard of next."""

    next_report_increment: Increment


@endpoint(ArrayPath, BatchLaunch)
def lambda_handler(path: ArrayPath, body: BatchLaunch) -> NoReply:
    """Move those that are INSTANTIATED, with their tasks, to LAUNCHED; leave all others."""
    move_batch(path.array_id, body.batch_number, LAUNCH, on_move=said(body))
    return NoReply()
