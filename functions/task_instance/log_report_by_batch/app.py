"""The distributor sends a heartbeat for many instances."""

from lockstep.http.common import NoReply, TaskInstanceIds
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Increment
from lockstep.task_instance.bulk import log_heartbeats
from lockstep.task_instance.item import instance_keys


class BatchHeartbeat(TaskInstanceIds):
    """Instances, and the seconds until their next report is due."""

    next_report_increment: Increment


@endpoint("log_report_by_batch")
def lambda_handler(body: BatchHeartbeat) -> NoReply:
    """Move report_by of the instances that are LAUNCHED. All others stay as they are."""
    log_heartbeats(instance_keys(body.task_instance_ids), body.next_report_increment)
    return NoReply()
