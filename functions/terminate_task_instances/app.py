"""PUT /api/v3/workflow_run/{workflow_run_id}/terminate_task_instances: a resume ends a run."""

from lockstep.endpoint import endpoint
from lockstep.terminating import terminate_task_instances
from lockstep.wire import Nothing, Reply, RunPath


class TerminateReply(Reply):
    """How many instances were stopped by this call."""

    workflow_run_id: int
    num_terminated: int


@endpoint(RunPath, Nothing)
def lambda_handler(path: RunPath, _: Nothing) -> TerminateReply:
    """QUEUED and INSTANTIATED to ERROR_FATAL; LAUNCHED, and RUNNING unless the resume is hot, to KILL_SELF."""
    stopped = terminate_task_instances(path.workflow_run_id)
    return TerminateReply(workflow_run_id=path.workflow_run_id, num_terminated=stopped)
