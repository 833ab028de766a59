"""List the tasks of a workflow that are not done, page by page."""

from typing import Annotated

from pydantic import Field

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import MAX_TASKS_PER_CALL, WHOLE
from lockstep.http.models import Reply, Request
from lockstep.workflow.path import WorkflowPath
from lockstep.workflow.resume import TaskToResume, tasks_to_resume


class Page(Request):
    """The tasks after an id, so many at most."""

    max_task_id: Annotated[int, Field(ge=0, lt=2**63), WHOLE]
    chunk_size: Annotated[int, Field(ge=1, le=MAX_TASKS_PER_CALL), WHOLE]


class TasksReply(Reply):
    """Tasks by id; fewer than asked for at the end."""

    tasks: dict[int, TaskToResume]


@endpoint("get_tasks")
def lambda_handler(path: WorkflowPath, query: Page) -> TasksReply:
    """List a page of tasks. A client that resumes a workflow by its id reads all pages."""
    return TasksReply(tasks=tasks_to_resume(path.workflow_id, query.max_task_id, query.chunk_size))
