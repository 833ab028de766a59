"""A view of a workflow run."""

from lockstep import clock
from lockstep.fsm.statuses import WorkflowRunStatus
from lockstep.fsm.workflow_run import RUN_ENDED
from lockstep.http.fields import Text
from lockstep.http.models import Reply
from lockstep.workflow_run.item import WorkflowRun


class RunView(Reply):
    """A workflow run."""

    workflow_run_id: int
    workflow_id: int
    status: WorkflowRunStatus
    status_name: str
    status_date: str
    user: Text | None
    jobmon_version: Text | None
    report_by_date: str | None
    """The time by which its client must report next."""
    overdue: bool
    """Its client should have reported by now."""


def run_view(workflow_run_id: int, run: WorkflowRun) -> RunView:
    """The view of a run."""
    status, report_by = WorkflowRunStatus(run.status), run.heartbeat_date
    return RunView(
        workflow_run_id=workflow_run_id,
        workflow_id=run.workflow_id,
        status=status,
        status_name=status.name,
        status_date=clock.iso(run.status_date),
        user=run.user,
        jobmon_version=run.jobmon_version,
        report_by_date=clock.iso_if_known(report_by),
        overdue=status not in RUN_ENDED and report_by is not None and report_by < clock.now(),
    )


class RunStatusReply(Reply):
    """The status of a workflow run that stands after the call."""

    status: WorkflowRunStatus
