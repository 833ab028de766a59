"""POST /api/v3/task_instance/{task_instance_id}/log_known_error: triage found the cause of a failure."""

from lockstep.endpoint import endpoint
from lockstep.transitions import failure_known
from lockstep.triage import TriageReport, log_triaged
from lockstep.wire import InstancePath, MessageReply


@endpoint(InstancePath, TriageReport)
def lambda_handler(path: InstancePath, body: TriageReport) -> MessageReply:
    """Move to error_state and add an error entry, or neither."""
    return log_triaged(path.task_instance_id, body, failure_known(body.error_state))
