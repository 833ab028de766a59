"""Show the newest error of a task."""

from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply, TaskPath
from lockstep.task_instance.errors import newest_error


class NewestErrorReply(Reply):
    """What was said, and of which attempt; empty and none where no attempt has an error."""

    error_description: str
    task_instance_id: int | None


@endpoint("most_recent_ti_error")
def lambda_handler(path: TaskPath) -> NewestErrorReply:
    """Jobmon's client asks it of each task of a workflow, done or not."""
    found = newest_error(path.task_id)
    return NewestErrorReply(error_description=found.description, task_instance_id=found.task_instance_id)
