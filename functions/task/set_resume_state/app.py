"""Let the tasks of a workflow that are not done start over."""

from typing import Annotated

from pydantic import Field, RootModel

from lockstep.http.common import NoReply
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import IdInPath
from lockstep.http.models import Reply, Request
from lockstep.workflow_run.start_over import start_over


class WorkflowOfTasks(Request):
    """The workflow."""

    workflow_id: Annotated[IdInPath, Field(alias="task_id")]


class StartOver(Request):
    """The choice whether running tasks start over too."""

    reset_if_running: bool


class NotStartedOver(Reply):
    """The reason why no task was changed."""

    err_msg: str


class StartOverReply(RootModel[NoReply | NotStartedOver]):
    """An empty object if the tasks start over."""


@endpoint("set_resume_state")
def lambda_handler(path: WorkflowOfTasks, body: StartOver) -> StartOverReply:
    """Start the workflow's tasks over. A call that runs out of time does a part; repeating it continues there."""
    why_not = start_over(path.workflow_id, running=body.reset_if_running)
    return StartOverReply(NotStartedOver(err_msg=why_not) if why_not else NoReply())
