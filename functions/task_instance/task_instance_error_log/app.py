"""List an instance's error entries."""

from lockstep.http.endpoint import endpoint
from lockstep.http.models import Reply
from lockstep.task_instance.read import read_errors
from lockstep.task_instance.report import InstancePath
from lockstep.task_instance.views import ErrorLogRow, error_log


class ErrorLogReply(Reply):
    """Error entries in time order: id, error_time (`YYYY-MM-DD HH:MM:SS` UTC), description."""

    task_instance_error_log: list[ErrorLogRow]


@endpoint("task_instance_error_log")
def lambda_handler(path: InstancePath) -> ErrorLogReply:
    """Return all error entries of the instance."""
    return ErrorLogReply(task_instance_error_log=error_log(read_errors(path.instance)))
