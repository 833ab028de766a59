"""Heartbeats of worker nodes, and a distributor's reports about instances that it launched."""

from lockstep.array.next_check import expect
from lockstep.clock import now
from lockstep.dynamodb.client import ConditionFailedError, reach, update
from lockstep.dynamodb.item import Expiring
from lockstep.fsm.reports import LAUNCH, RECOVER, Names
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.observability import bind, measure
from lockstep.task_instance.item import InstanceKey, Log, TaskInstance
from lockstep.task_instance.report import Report, ReportedFields
from lockstep.task_instance.sender import may_report_on, not_there, require_claimant, require_may_report_on
from lockstep.task_instance.store import instance_changes, log_changes
from lockstep.task_instance.transition import Outcome, transit_ti_and_t


def log_report_by(instance: InstanceKey, fields: ReportedFields) -> TaskInstanceStatus:
    """Store a heartbeat and return the status that stands. An instance in TRIAGING goes back to RUNNING.

    A worker node that another one has taken over from hears KILL_SELF, if its heartbeat names another job.

    Raises:
        NotFoundError, ForbiddenError, ContentionError, TableError: as transition.transit_ti_and_t.
    """
    before, stored = write_heartbeat(instance, fields, unless=TaskInstanceStatus.TRIAGING)
    bind(workflow_run_id=before.workflow_run_id)
    if stored and before.report_by is not None:
        measure("HeartbeatLag", max(0.0, now() - before.report_by))
    status = TaskInstanceStatus(before.status) if stored else transit_ti_and_t(Report(instance, RECOVER, fields)).status
    if status is TaskInstanceStatus.RUNNING:
        expect(before, fields.report_by)
    return status


def write_heartbeat(
    instance: InstanceKey, fields: ReportedFields, unless: TaskInstanceStatus
) -> tuple[TaskInstance, bool]:
    """Store a heartbeat's fields. Return the instance as it was before, and whether they were stored.

    They are not if the instance is in the status `unless`, or another worker node has claimed it.

    One request and one write unit, unless a text is too long for the instance's own item.

    Raises:
        NotFoundError: the instance does not exist.
        ForbiddenError: it is of another workflow run than the caller may report on.
        ContentionError, TableError: see dynamodb.client.reach.
    """
    condition = TaskInstance.pk.exists() & (TaskInstance.status != unless)
    condition = require_claimant(condition, Names.WORKER, fields)
    condition = require_may_report_on(condition)
    renewed = Expiring.renewed(now())
    try:
        before = update(TaskInstance.key(instance), instance_changes(fields) + renewed, condition)
    except ConditionFailedError as failed:
        [found] = failed.found
        rejected_by = TaskInstance.from_raw_data(found) if found else None
        if rejected_by is None or not may_report_on(rejected_by):
            raise not_there(instance) from None
        return rejected_by, False
    if long := log_changes(fields):
        log = Log(*Log.key(instance))
        reach(lambda: log.update(long + renewed))
    return TaskInstance.from_raw_data(before), True


def log_distributor_id(instance: InstanceKey, fields: ReportedFields) -> Outcome:
    """Store the distributor's id and due time of an instance, and move it to LAUNCHED.

    Raises:
        NotFoundError, ForbiddenError, ContentionError, TableError: as transition.transit_ti_and_t.
    """
    outcome = transit_ti_and_t(Report(instance, LAUNCH, fields._replace(launched=True)))
    if outcome.rejected_by and outcome.status is TaskInstanceStatus.RUNNING:
        expect(outcome.rejected_by, fields.report_by)
    return outcome
