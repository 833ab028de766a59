"""A report: one object from the handler to the transaction."""

from typing import Final, NamedTuple

from pydantic import BaseModel

from lockstep.clock import now
from lockstep.fsm.reports import ReportRule
from lockstep.task_instance.item import InstanceKey, is_long_error


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
