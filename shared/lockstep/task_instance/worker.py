"""What a worker node reports, and what it is told."""

from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.http.fields import DistributorId, Nodename, Path, Text
from lockstep.http.models import Reply, Request


class WorkerReport(Request):
    """The worker node's names, and its command's output."""

    distributor_id: DistributorId | None = None
    nodename: Nodename | None = None
    stdout: Path | None = None
    stderr: Path | None = None
    stdout_log: Text | None = None
    stderr_log: Text | None = None


class StatusReply(Reply):
    """The status that stands after the report; KILL_SELF for a worker node that another one has taken over from."""

    status: TaskInstanceStatus
