"""Note attributes of tasks."""

from typing import Annotated

from pydantic import Field

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import MAX_TASKS_PER_CALL, Attributes, IdInPath
from lockstep.http.models import NoReply, Request
from lockstep.task.attributes import note_attributes


class TaskAttributes(Request):
    """Values by task and name."""

    task_attributes: Annotated[
        dict[IdInPath, Attributes],
        Field(max_length=MAX_TASKS_PER_CALL, json_schema_extra={"propertyNames": {"pattern": "^-?[0-9]{1,37}$"}}),
    ]


@endpoint("bind_task_attributes")
def lambda_handler(body: TaskAttributes) -> NoReply:
    """Replace the attributes of the same names; keep the others."""
    note_attributes(body.task_attributes)
    return NoReply()
