"""A client begins to run a workflow."""

from pydantic import RootModel

from lockstep.fsm.statuses import WorkflowRunStatus
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Id, Increment, ShortText
from lockstep.http.models import Reply, Request
from lockstep.workflow_run.link import Client, link


class RunToLink(Request):
    """The run's workflow and user, and the seconds until its client's next heartbeat is due."""

    workflow_id: Id
    next_report_increment: Increment
    user: ShortText | None = None
    jobmon_version: ShortText | None = None


class LinkedRun(Reply):
    """The run, which is LINKING."""

    workflow_run_id: int
    status: WorkflowRunStatus


class NotLinked(Reply):
    """The reason why no run was linked."""

    workflow_run_id: None
    err_msg: str


class RunReply(RootModel[LinkedRun | NotLinked]):
    """A run, or the reason why none was linked."""


@endpoint("create_workflow_run")
def lambda_handler(body: RunToLink) -> RunReply:
    """Make a run that holds its workflow, unless another one does."""
    linked = link(body.workflow_id, Client(body.user, body.jobmon_version), body.next_report_increment)
    if linked.workflow_run_id is None:
        return RunReply(NotLinked(workflow_run_id=None, err_msg=linked.why_not or ""))
    return RunReply(LinkedRun(workflow_run_id=linked.workflow_run_id, status=WorkflowRunStatus.LINKING))
