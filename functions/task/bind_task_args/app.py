"""Keep the arguments of tasks."""

from typing import Annotated

from pydantic import Field

from lockstep.http.common import NoReply
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import MAX_ARGUMENTS_PER_CALL
from lockstep.http.models import Request
from lockstep.task.arguments import TaskArgument, keep_arguments


class ArgumentsToKeep(Request):
    """Arguments, each of one task."""

    task_args: Annotated[list[TaskArgument], Field(max_length=MAX_ARGUMENTS_PER_CALL)]


@endpoint("bind_task_args")
def lambda_handler(body: ArgumentsToKeep) -> NoReply:
    """Store the arguments once. They never change: they are part of the task's identity."""
    keep_arguments(body.task_args)
    return NoReply()
