"""Requests and replies that more than one route has."""

from pydantic import BaseModel, ConfigDict

from lockstep.fsm.statuses import TaskInstanceStatus, WorkflowRunStatus
from lockstep.http.fields import IdInPath, Ids, SmallCount


class Request(BaseModel):
    """A part of a request: its path, query or body. Unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    def facts(self) -> dict[str, object]:
        """Return log fields that follow from a path, beside its parameters."""
        return {}


class ArrayPath(Request):
    """The path of a route about one array."""

    array_id: IdInPath


class TaskPath(Request):
    """The path of a route about one task."""

    task_id: IdInPath


class WorkflowPath(Request):
    """The path of a route about one workflow."""

    workflow_id: IdInPath


class TaskTemplatePath(Request):
    """The path of a route about one task template."""

    task_template_id: IdInPath


class RunPath(Request):
    """The path of a route about one workflow run."""

    workflow_run_id: IdInPath


class TaskInstanceIds(Request):
    """A list of task instances; the order and doubles do not matter."""

    task_instance_ids: Ids


class Reply(BaseModel):
    """A reply's body."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class BatchOfArray(Request):
    """One batch of the array that the path names."""

    batch_number: SmallCount


class NoReply(Reply):
    """An empty object."""


class LimitReply(Reply):
    """The number of tasks that may run at once."""

    max_concurrently_running: int


class StatusReply(Reply):
    """The status that stands after the report; KILL_SELF for a worker node that another one has taken over from."""

    status: TaskInstanceStatus


class RunStatusReply(Reply):
    """The status of a workflow run that stands after the call."""

    status: WorkflowRunStatus


class MessageReply(Reply):
    """Why nothing moved; empty if it moved."""

    message: str
