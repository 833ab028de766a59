"""Ask the run that holds a workflow to end, so that another one may begin."""

from lockstep.http.endpoint import endpoint
from lockstep.http.models import NoReply, Request, WorkflowPath
from lockstep.workflow_run.handover import set_resume


class Resume(Request):
    """Whether what runs must stop, or may go on."""

    reset_running_jobs: bool


@endpoint("set_resume")
def lambda_handler(path: WorkflowPath, body: Resume) -> NoReply:
    """A run whose client is gone ends at once. Where no run holds the workflow, there is nothing to do."""
    set_resume(path.workflow_id, cold=body.reset_running_jobs)
    return NoReply()
