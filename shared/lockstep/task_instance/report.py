"""A report on a task instance: as a request sends it, and as one object from the handler to the transaction.

A worker node sends its names (distributor_id: its job on the cluster; nodename), the output of its command, and when it
reports next. `Report` adds the rule of its kind of report (fsm/reports.py).
"""

from typing import Final, NamedTuple

from pydantic import BaseModel

from lockstep.clock import now
from lockstep.errors import NotFoundError
from lockstep.fsm.reports import ABANDONED, ReportRule
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.http.fields import DistributorId, FilePath, IdInPath, Nodename, Text
from lockstep.http.models import Reply, Request
from lockstep.task_instance.item import InstanceKey, is_long_error, split_task_instance_id


class InstancePath(Request):
    """The path of a route about one task instance."""

    task_instance_id: IdInPath

    @property
    def instance(self) -> InstanceKey:
        """The instance's key.

        >>> InstancePath(task_instance_id=42003).instance
        InstanceKey(task_id=42, number=3)

        Raises:
            NotFoundError: no instance can have this id.
        """
        key = split_task_instance_id(self.task_instance_id)
        if key is None:
            raise NotFoundError(f"task instance {self.task_instance_id} does not exist")
        return key

    def facts(self) -> dict[str, object]:
        """The instance's task, for the log."""
        key = split_task_instance_id(self.task_instance_id)
        return {"task_id": key.task_id} if key else {}


class WorkerReport(Request):
    """The body of a worker node's report on the end of its command: the node's names, and the output."""

    distributor_id: DistributorId | None = None
    nodename: Nodename | None = None
    stdout: FilePath | None = None
    stderr: FilePath | None = None
    stdout_log: Text | None = None
    stderr_log: Text | None = None


class StatusReply(Reply):
    """The status that stands after the report; KILL_SELF for a worker node that another one has taken over from."""

    status: TaskInstanceStatus


class ReportedFields(NamedTuple):
    """The fields of a report beside the status. None leaves the stored value alone."""

    distributor_id: str | None = None
    nodename: str | None = None
    process_group_id: int | None = None
    stdout: str | None = None
    stderr: str | None = None
    stdout_log: str | None = None
    stderr_log: str | None = None
    report_by: float | None = None
    """Seconds since 1970."""
    error: str | None = None
    """An error entry to add. The same text about the same instance is one entry."""
    claimed_at: float | None = None
    """The time of a claim, in seconds since 1970: its names become those of the instance's worker node."""
    launched: bool | None = None
    """Whether distributor_id is the distributor's own id of the job that it submitted."""

    def merged(self, later: "ReportedFields") -> "ReportedFields":
        """Both; where both have a value, the later one's."""
        if later is NO_FIELDS:
            return self
        return ReportedFields._make(mine if new is None else new for mine, new in zip(self, later, strict=True))

    @property
    def actions(self) -> int:
        """The most actions of a transaction that an instance, its task and these fields take."""
        logged = (self.nodename, self.stdout, self.stderr, self.stdout_log, self.stderr_log)
        logs = any(value is not None for value in logged)
        errors = 0 if self.error is None else 1 + is_long_error(self.error)
        return 2 + logs + errors


NO_FIELDS: Final = ReportedFields()
_NAMES: Final = frozenset(ReportedFields._fields) - {"report_by", "error", "claimed_at", "launched"}


def reported_fields(body: BaseModel, error: str | None = None) -> ReportedFields:
    """The fields that a request's body reports. next_report_increment counts from now, in seconds."""
    sent = vars(body)
    increment = sent.get("next_report_increment")
    named = {name: value for name, value in sent.items() if name in _NAMES}
    return ReportedFields(**named, report_by=None if increment is None else now() + increment, error=error)


class Report(NamedTuple):
    """A report about one task instance."""

    instance: InstanceKey
    rule: ReportRule
    fields: ReportedFields = NO_FIELDS
    """Stored whether the instance moves or not, unless the caller is a fenced worker node."""
    on_move: ReportedFields = NO_FIELDS
    """Stored only together with the move."""
    open_run: int | None = None
    """The workflow run that must not have ended. None: no run is looked at."""


def abandoned(instance: InstanceKey, status: TaskInstanceStatus, why: str) -> Report:
    """The report that settles an instance which was read in a status that needs attention, with an error entry."""
    return Report(instance, ABANDONED[status], on_move=ReportedFields(error=why))
