"""The distributor sends a heartbeat for many instances."""

from lockstep.clock import now
from lockstep.dynamodb.keys import instance_keys
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Increment
from lockstep.http.models import NoReply, TaskInstanceIds
from lockstep.task_instance.store import log_heartbeats


class BatchHeartbeat(TaskInstanceIds):
    """When these instances will be heard of next."""

    next_report_increment: Increment


@endpoint("log_report_by_batch")
def lambda_handler(body: BatchHeartbeat) -> NoReply:
    """Move report_by of the instances that are LAUNCHED. All others stay as they are."""
    log_heartbeats(instance_keys(body.task_instance_ids), now() + body.next_report_increment)
    return NoReply()
