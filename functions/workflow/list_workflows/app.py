"""List the workflows, newest first, page by page."""

from typing import Annotated

from pydantic import Field

from lockstep import clock
from lockstep.fsm.statuses import WorkflowStatus
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import MAX_FILTERS, IdInQuery, Name, PageSize, ShortText, Text
from lockstep.http.models import Reply, Request
from lockstep.workflow.item import Workflow
from lockstep.workflow.listing import filters, list_workflows


class Filters(Request):
    """Filters for workflows, and the page's cursor and size."""

    user: Annotated[list[ShortText], Field(default_factory=list, max_length=MAX_FILTERS)]
    status: Annotated[list[WorkflowStatus], Field(default_factory=list, max_length=MAX_FILTERS)]
    name: Name = ""
    """A part of the name, in any case. Of one that is longer than what the list has of names, the beginning counts."""
    cursor: IdInQuery | None = None
    limit: PageSize = 50


class WorkflowRow(Reply):
    """A workflow."""

    workflow_id: int
    name: Text | None
    """The first 150 bytes of the workflow's name."""
    user: Text | None
    """The user whose run holds the workflow, or held it last; the first 60 bytes."""
    status: WorkflowStatus
    status_name: str
    status_date: str
    num_tasks: int
    workflow_run_id: int | None
    """The run that holds it."""


class WorkflowsReply(Reply):
    """Some workflows. A page may hold fewer than asked for and still have a cursor, with which the next one begins."""

    workflows: list[WorkflowRow]
    cursor: int | None


@endpoint("list_workflows")
def lambda_handler(query: Filters) -> WorkflowsReply:
    """List a page of workflows. It examines a bounded number of them, so it may hold fewer than asked for."""
    page = list_workflows(filters(query.user, query.status, query.name), query.cursor, query.limit)
    return WorkflowsReply(
        workflows=[_row(workflow_id, workflow) for workflow_id, workflow in page.workflows.items()],
        cursor=page.next_before,
    )


def _row(workflow_id: int, workflow: Workflow) -> WorkflowRow:
    status = WorkflowStatus(workflow.status)
    return WorkflowRow(
        workflow_id=workflow_id,
        name=workflow.title,
        user=workflow.user,
        status=status,
        status_name=status.name,
        status_date=clock.iso(workflow.status_date),
        num_tasks=workflow.num_tasks or 0,
        workflow_run_id=workflow.workflow_run_id,
    )
