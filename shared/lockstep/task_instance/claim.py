"""A worker node's claim on an instance, and the command that the claim returns."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from lockstep.array.next_check import expect
from lockstep.clock import now
from lockstep.dynamodb.client import connect
from lockstep.fsm.reports import START
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.http.fields import Text
from lockstep.observability import bind
from lockstep.task.item import Specified
from lockstep.task.resources import Directories, read_directories
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.task_instance.read import read_for_start
from lockstep.task_instance.report import Report, ReportedFields
from lockstep.task_instance.transition import transit_ti_and_t

StartRow = tuple[int, TaskInstanceStatus, int, int, Text, Text, int, Text | None, Text | None]
"""id, status, workflow_run_id, task_id, name, command, workflow_id, stdout_dir, stderr_dir."""


def log_running(key: InstanceKey, fields: ReportedFields) -> StartRow:
    """Claim the instance for the calling worker node, and return the command to run if the status is R.

    At most one worker node at a time is told R. Another one hears K until the first has fallen silent, unless the
    cluster has started the first one's job again. The write and the read do not depend on each other and are sent
    together.

    Raises:
        NotFoundError, ForbiddenError, ContentionError, TableError: as transition.transit_ti_and_t.
    """
    worker = ReportedFields(fields.distributor_id, fields.nodename, fields.process_group_id)
    connect()
    with ThreadPoolExecutor(1) as aside:
        reading = aside.submit(copy_context().run, read_for_start, key)
        claim = ReportedFields(report_by=fields.report_by, claimed_at=now())
        outcome = transit_ti_and_t(Report(key, START, worker, on_move=claim))
        instance, spec = reading.result()
    bind(workflow_run_id=instance.workflow_run_id)
    if outcome.status is TaskInstanceStatus.RUNNING:
        expect(instance, fields.report_by)
    stdout_dir, stderr_dir = _directories(instance, spec)
    return (
        key.id,
        outcome.status,
        instance.workflow_run_id,
        key.task_id,
        spec.name,
        spec.command,
        spec.workflow_id,
        stdout_dir,
        stderr_dir,
    )


def _directories(instance: TaskInstance, spec: Specified) -> Directories:
    """The directories of the instance's own resources, which differ from the task's once resources were adjusted."""
    bound = (spec.stdout_dir, spec.stderr_dir)
    task_resources_id = instance.task_resources_id
    if task_resources_id == spec.task_resources_id:
        return bound
    return read_directories([task_resources_id]).get(task_resources_id, bound)
