"""GET /api/v3/task_instance/{task_instance_id}/task_instance_error_log: what was said of its failures."""

from lockstep.advance import instance_key
from lockstep.clock import Deadline
from lockstep.endpoint import endpoint
from lockstep.reading import ErrorLogRow, error_log
from lockstep.store import read_errors
from lockstep.wire import InstancePath, Nothing, Reply


class ErrorLogReply(Reply):
    """In time order: id, error_time (`YYYY-MM-DD HH:MM:SS` UTC), description."""

    task_instance_error_log: list[ErrorLogRow]


@endpoint(InstancePath, Nothing)
def lambda_handler(path: InstancePath, _: Nothing) -> ErrorLogReply:
    """All error entries of the instance."""
    return ErrorLogReply(
        task_instance_error_log=error_log(read_errors(instance_key(path.task_instance_id), Deadline()))
    )
