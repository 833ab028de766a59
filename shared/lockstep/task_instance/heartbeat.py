"""Heartbeats of worker nodes, and a distributor's reports about instances that it launched."""

from lockstep.array.attention import expect
from lockstep.clock import now
from lockstep.fsm.reports import LAUNCH, RECOVER
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.observability import bind, measure
from lockstep.task_instance import store
from lockstep.task_instance.item import InstanceKey
from lockstep.task_instance.report import Report, ReportedFields
from lockstep.task_instance.transition import Outcome, transit_ti_and_t


def log_report_by(instance: InstanceKey, fields: ReportedFields) -> TaskInstanceStatus:
    """Store a heartbeat and return the status that stands. An instance in TRIAGING goes back to RUNNING.

    A worker node that another one has taken over from hears KILL_SELF, if its heartbeat names another job.

    Raises:
        NotFoundError, ForbiddenError, ContentionError, TableError: as transition.transit_ti_and_t.
    """
    before, stored = store.log_heartbeat(instance, fields, unless=TaskInstanceStatus.TRIAGING)
    bind(workflow_run_id=before.workflow_run_id)
    if stored and before.report_by is not None:
        measure("HeartbeatLag", max(0.0, now() - before.report_by))
    status = TaskInstanceStatus(before.status) if stored else transit_ti_and_t(Report(instance, RECOVER, fields)).status
    if status is TaskInstanceStatus.RUNNING:
        expect(before, fields.report_by)
    return status


def log_distributor_id(instance: InstanceKey, fields: ReportedFields) -> Outcome:
    """Store the distributor's id and due time of an instance, and move it to LAUNCHED.

    Raises:
        NotFoundError, ForbiddenError, ContentionError, TableError: as transition.transit_ti_and_t.
    """
    outcome = transit_ti_and_t(Report(instance, LAUNCH, fields._replace(launched=True)))
    if outcome.rejected_by and outcome.status is TaskInstanceStatus.RUNNING:
        expect(outcome.rejected_by, fields.report_by)
    return outcome
