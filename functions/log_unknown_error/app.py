"""POST /api/v3/task_instance/{task_instance_id}/log_unknown_error: triage found no cause of a failure."""

from lockstep.endpoint import endpoint
from lockstep.transitions import failure_unknown
from lockstep.triage import TriageReport, log_triaged
from lockstep.wire import InstancePath, MessageReply


@endpoint(InstancePath, TriageReport)
def lambda_handler(path: InstancePath, body: TriageReport) -> MessageReply:
    """As log_known_error, but only if report_by has passed: a heartbeat that came meanwhile wins."""
    return log_triaged(path.task_instance_id, body, failure_unknown(body.error_state))
