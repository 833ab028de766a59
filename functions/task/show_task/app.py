"""Show a task with its attempts, and why each is in its status."""

from lockstep import clock
from lockstep.fsm.reasons import reason_of
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import has_ended
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Text
from lockstep.http.models import Reply
from lockstep.task.attempts import Attempts, look_at
from lockstep.task.path import TaskPath
from lockstep.task_instance.item import InstanceKey, TaskInstance


class AttemptView(Reply):
    """An attempt at the task."""

    task_instance_id: int
    status: TaskInstanceStatus
    status_name: str
    status_date: str
    reason: str | None
    """The state machine's reason for the attempt's status. None: it has not moved yet, or no reason was noted."""
    queued_date: str | None
    started_date: str | None
    """The time of a worker node's last claim."""
    ended: bool
    report_by_date: str | None
    overdue: bool
    """The attempt's report is late."""
    takeovers: int
    """The number of times that a worker node took the attempt over from another one."""
    refusals: int
    """The number of refused claims and reports of other worker nodes or jobs."""
    workflow_run_id: int
    distributor_id: Text | None
    nodename: Text | None
    """None too if the name is long: the attempt itself shows it."""
    array_batch_num: int
    array_step_id: int


class TaskReply(Reply):
    """A task."""

    task_id: int
    name: Text
    command: Text
    status: TaskStatus
    status_name: str
    status_date: str
    num_attempts: int
    max_attempts: int
    workflow_id: int
    array_id: int
    node_id: str | None
    task_resources_id: int
    attempts: list[AttemptView]
    """The newest, newest first."""
    left_out: int
    """The older attempts, which are not listed."""


@endpoint("show_task")
def lambda_handler(path: TaskPath) -> TaskReply:
    """Show the task and its attempts. Reads may lag; the attempts may be of different moments."""
    return _reply(path.task_id, look_at(path.task_id))


def _reply(task_id: int, found: Attempts) -> TaskReply:
    task, spec, at = found.task, found.spec, clock.now()
    status = TaskStatus(task.status)
    return TaskReply(
        task_id=task_id,
        name=spec.name,
        command=spec.command,
        status=status,
        status_name=status.name,
        status_date=clock.iso(task.status_date),
        num_attempts=task.num_attempts,
        max_attempts=task.max_attempts,
        workflow_id=task.workflow_id,
        array_id=task.array_id,
        node_id=None if task.node_id is None else str(task.node_id),
        task_resources_id=spec.task_resources_id,
        attempts=[_attempt(key, instance, at) for key, instance in found.instances.items()],
        left_out=found.left_out,
    )


def _attempt(key: InstanceKey, instance: TaskInstance, at: float) -> AttemptView:
    status = TaskInstanceStatus(instance.status)
    ended = has_ended(status)
    return AttemptView(
        task_instance_id=key.id,
        status=status,
        status_name=status.name,
        status_date=clock.iso(instance.status_date),
        reason=reason_of(TaskInstanceStatus(instance.came_from), status) if instance.came_from else None,
        queued_date=clock.iso_if_known(instance.queued_at),
        started_date=clock.iso_if_known(instance.claimed_at),
        ended=ended,
        report_by_date=clock.iso_if_known(instance.report_by),
        overdue=not ended and instance.report_by is not None and instance.report_by < at,
        takeovers=instance.takeovers or 0,
        refusals=instance.refusals or 0,
        workflow_run_id=instance.workflow_run_id,
        distributor_id=instance.distributor_id,
        nodename=instance.nodename,
        array_batch_num=instance.array_batch_num,
        array_step_id=instance.array_step_id,
    )
