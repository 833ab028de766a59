"""Show the newest error of a task."""

from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply
from lockstep.task.path import TaskPath
from lockstep.task_instance.errors import newest_error


class NewestErrorReply(Reply):
    """The newest error entry's text and its attempt. Without an error, the text is empty and the attempt null."""

    error_description: str
    task_instance_id: int | None


@endpoint("most_recent_ti_error")
def lambda_handler(path: TaskPath) -> NewestErrorReply:
    """Return the task's newest error. Jobmon's client calls this for every task of a workflow, done or not."""
    found = newest_error(path.task_id)
    return NewestErrorReply(error_description=found.description, task_instance_id=found.task_instance_id)
