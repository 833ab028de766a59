"""A client begins to run a workflow."""

from lockstep.clock import now
from lockstep.fsm.statuses import WorkflowRunStatus
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Id, Increment, ShortText
from lockstep.http.models import Reply, Request
from lockstep.workflow_run.item import run_id_of
from lockstep.workflow_run.lifecycle import create


class RunToMake(Request):
    """Whose run it is, and when its client will be heard of next."""

    workflow_id: Id
    next_report_increment: Increment
    user: ShortText | None = None
    jobmon_version: ShortText | None = None


class RunReply(Reply):
    """The run's id; it is LINKING."""

    workflow_run_id: int
    status: WorkflowRunStatus


@endpoint("create_workflow_run")
def lambda_handler(body: RunToMake) -> RunReply:
    """Make a run that has claimed its workflow."""
    run = create(body.workflow_id, body.user, body.jobmon_version, now() + body.next_report_increment)
    return RunReply(workflow_run_id=run_id_of(run.pk), status=WorkflowRunStatus(run.status))
