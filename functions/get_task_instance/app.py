"""GET /api/v3/task_instance/{task_instance_id}: all that is known of an instance and its task."""

from lockstep.advance import instance_key
from lockstep.clock import Deadline
from lockstep.endpoint import endpoint
from lockstep.reading import WholeReply, whole
from lockstep.store import read_whole
from lockstep.wire import InstancePath, Nothing


@endpoint(InstancePath, Nothing)
def lambda_handler(path: InstancePath, _: Nothing) -> WholeReply:
    """For people and tests; one consistent read."""
    return whole(path.task_instance_id, read_whole(instance_key(path.task_instance_id), Deadline()))
