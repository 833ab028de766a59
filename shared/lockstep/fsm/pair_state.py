"""The state of a pair, a task instance and its task, at one moment, and the guard that a write carries."""

from typing import NamedTuple

from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus


class PairState(NamedTuple):
    """Everything that a ruling depends on."""

    task_instance: TaskInstanceStatus
    task: TaskStatus
    attempts_left: bool = True
    """num_attempts < max_attempts."""
    overdue: bool = False
    """report_by is set and has passed."""
    not_yet_due: bool = False
    """report_by lies ahead."""
    same_worker: bool = False
    """The caller is the worker node that already runs the instance."""
    superseded: bool = False
    """The task has a later attempt."""


class Guard(NamedTuple):
    """The condition of the write that carries a ruling out: a set of instance statuses and a set of task statuses.

    A refusal's guard does not hold report_by or the worker node: a refusal that has just become stale moves nothing.
    """

    task_instance: frozenset[TaskInstanceStatus]
    """The instance's status is one of these."""
    task: frozenset[TaskStatus] | None
    """The task's status is one of these. None: it does not matter."""
    attempts_left: bool | None = None
    """Whether attempts are left. None: it does not matter."""
    superseded: bool | None = None
    """Whether there is a later attempt. None: it does not matter."""
    overdue: bool = False
    """report_by must be set and have passed."""
    none_due_ahead: bool = False
    """report_by must not lie ahead."""

    @property
    def concerns_task(self) -> bool:
        """Whether the task must be looked at."""
        return (self.task, self.attempts_left, self.superseded) != (None, None, None)
