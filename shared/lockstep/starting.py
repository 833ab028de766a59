"""How a worker node starts: its claim on the instance, and what it is to run."""

from concurrent.futures import ThreadPoolExecutor

from lockstep.advance import instance_key, transit_ti_and_t
from lockstep.batches import expect
from lockstep.clock import Deadline
from lockstep.items import Spec, TaskInstance
from lockstep.observability import known
from lockstep.resources import Directories, read_directories
from lockstep.statuses import TaskInstanceStatus
from lockstep.store import Said, read_for_start
from lockstep.table import connect
from lockstep.transitions import START
from lockstep.wire import Text

StartRow = tuple[int, TaskInstanceStatus, int, int, Text, Text, int, Text | None, Text | None]
"""id, status, workflow_run_id, task_id, name, command, workflow_id, stdout_dir, stderr_dir."""


def log_running(task_instance_id: int, said: Said) -> StartRow:
    """Claim the instance for the worker node that asks, and answer what it is to run if the status is R.

    At most one worker node at a time is told R: another one hears K until the first has fallen silent.
    The write and the read do not depend on each other and are sent together.

    Raises:
        NotFoundError: there is no such instance.
        UnavailableError: see advance.transit_ti_and_t.
    """
    key, deadline = instance_key(task_instance_id), Deadline()
    who, when = Said(said.distributor_id, said.nodename, said.process_group_id), Said(report_by=said.report_by)
    connect()
    with ThreadPoolExecutor(1) as aside:
        reading = aside.submit(read_for_start, key, deadline)
        outcome = transit_ti_and_t(task_instance_id, START, who, when, deadline)
        instance, spec = reading.result()
    known(workflow_run_id=instance.workflow_run_id)
    if outcome.status is TaskInstanceStatus.RUNNING:
        expect(instance, _report_by(instance, said) if not outcome.moved else said.report_by, deadline)
    stdout_dir, stderr_dir = _directories(instance, spec, deadline)
    return (
        task_instance_id,
        outcome.status,
        instance.workflow_run_id,
        key.task_id,
        spec.name,
        spec.command,
        spec.workflow_id,
        stdout_dir,
        stderr_dir,
    )


def _report_by(instance: TaskInstance, said: Said) -> float | None:
    """Of a claim that is repeated: the first one's stands. Its batch may not have been told, if its reply was lost."""
    return min((at for at in (instance.report_by, said.report_by) if at is not None), default=None)


def _directories(instance: TaskInstance, spec: Spec, deadline: Deadline) -> Directories:
    """Those of the instance's own resources: they differ from the task's once resources were adjusted."""
    bound = (spec.stdout_dir, spec.stderr_dir)
    task_resources_id = instance.task_resources_id
    if task_resources_id == spec.task_resources_id:
        return bound
    return read_directories([task_resources_id], deadline).get(task_resources_id, bound)
