"""POST /api/v3/task_instance/log_report_by/batch: the distributor's heartbeat for what it launched."""

from lockstep.clock import BULK_BUDGET_SECONDS, Deadline, now
from lockstep.endpoint import endpoint
from lockstep.keys import instance_keys
from lockstep.store import log_heartbeats
from lockstep.wire import Increment, NoReply, Nothing, TaskInstanceIds


class BatchHeartbeat(TaskInstanceIds):
    """When these instances will be heard of next."""

    next_report_increment: Increment


@endpoint(Nothing, BatchHeartbeat)
def lambda_handler(_: Nothing, body: BatchHeartbeat) -> NoReply:
    """Move report_by of those that are LAUNCHED; leave all others."""
    log_heartbeats(
        instance_keys(body.task_instance_ids), now() + body.next_report_increment, Deadline(BULK_BUDGET_SECONDS)
    )
    return NoReply()
