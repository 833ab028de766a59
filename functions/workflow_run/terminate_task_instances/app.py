"""A resume ends a run's instances."""

from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply
from lockstep.workflow_run.path import RunPath
from lockstep.workflow_run.terminate import terminate_task_instances


class TerminateReply(Reply):
    """The number of instances that this call stopped."""

    workflow_run_id: int
    num_terminated: int


@endpoint("terminate_task_instances")
def lambda_handler(path: RunPath) -> TerminateReply:
    """Move QUEUED and INSTANTIATED to ERROR_FATAL; LAUNCHED, and RUNNING unless the resume is hot, to KILL_SELF."""
    stopped = terminate_task_instances(path.workflow_run_id)
    return TerminateReply(workflow_run_id=path.workflow_run_id, num_terminated=stopped)
