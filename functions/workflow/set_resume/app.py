"""Ask the run that holds a workflow to end, so that another one may begin."""

from lockstep.http.common import NoReply
from lockstep.http.endpoint import endpoint
from lockstep.http.models import Request
from lockstep.workflow.path import WorkflowPath
from lockstep.workflow_run.handover import set_resume


class Resume(Request):
    """The choice between a cold resume, which stops running instances, and a hot one."""

    reset_running_jobs: bool


@endpoint("set_resume")
def lambda_handler(path: WorkflowPath, body: Resume) -> NoReply:
    """Ask the run that holds the workflow, if one does, to end, and note the resume for what earlier runs left.

    A run whose client is gone ends at once.
    """
    set_resume(path.workflow_id, cold=body.reset_running_jobs)
    return NoReply()
