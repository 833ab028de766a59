"""POST /api/v3/workflow_run: a client begins to run a workflow."""

from lockstep.clock import now
from lockstep.endpoint import endpoint
from lockstep.keys import run_id_of
from lockstep.statuses import WorkflowRunStatus
from lockstep.wire import Id, Increment, Nothing, Reply, Request, ShortText
from lockstep.workflow_runs import create


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


@endpoint(Nothing, RunToMake)
def lambda_handler(_: Nothing, body: RunToMake) -> RunReply:
    """Make a run that has claimed its workflow."""
    run = create(body.workflow_id, body.user, body.jobmon_version, now() + body.next_report_increment)
    return RunReply(workflow_run_id=run_id_of(run.pk), status=WorkflowRunStatus(run.status))
