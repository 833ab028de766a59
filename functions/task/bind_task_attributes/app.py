"""Note attributes of tasks."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from lockstep.http.common import NoReply
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import MAX_ATTRIBUTES_PER_CALL, MAX_TASKS_PER_CALL, Attributes, IdInPath
from lockstep.http.models import Request
from lockstep.task.attributes import note_attributes

ByTask = dict[IdInPath, Attributes]


def _check_number(attributes: ByTask) -> ByTask:
    if sum(map(len, attributes.values())) > MAX_ATTRIBUTES_PER_CALL:
        limit = {"limit": MAX_ATTRIBUTES_PER_CALL}
        raise PydanticCustomError("too_long", "must hold at most {limit} values", limit)
    return attributes


class TaskAttributes(Request):
    """Values by task and name."""

    task_attributes: Annotated[
        ByTask,
        AfterValidator(_check_number),
        Field(
            max_length=MAX_TASKS_PER_CALL,
            description=f"at most {MAX_ATTRIBUTES_PER_CALL} values in all",
            json_schema_extra={"propertyNames": {"pattern": "^-?[0-9]{1,37}$"}},
        ),
    ]


@endpoint("bind_task_attributes")
def lambda_handler(body: TaskAttributes) -> NoReply:
    """Replace the attributes of the same names; keep the others."""
    note_attributes(body.task_attributes)
    return NoReply()
