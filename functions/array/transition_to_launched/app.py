"""The cluster accepted a whole batch."""

from lockstep.array.move import move_batch
from lockstep.array.path import ArrayPath, BatchOfArray
from lockstep.fsm.reports import LAUNCH
from lockstep.http.common import NoReply
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Increment
from lockstep.task_instance.report import reported_fields


class BatchLaunch(BatchOfArray):
    """A batch, and the seconds until its instances' next report is due."""

    next_report_increment: Increment


@endpoint("transition_to_launched")
def lambda_handler(path: ArrayPath, body: BatchLaunch) -> NoReply:
    """Move the instances in INSTANTIATED, with their tasks, to LAUNCHED. All others stay as they are."""
    move_batch(path.array_id, body.batch_number, LAUNCH, on_move=reported_fields(body))
    return NoReply()
