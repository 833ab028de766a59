"""How a task instance and its task stand at one moment, and the sets of standings a ruling follows from."""

from typing import NamedTuple

from lockstep.statuses import TaskInstanceStatus, TaskStatus


class Standing(NamedTuple):
    """Everything a ruling is made on."""

    task_instance: TaskInstanceStatus
    task: TaskStatus
    attempts_left: bool = True
    """num_attempts < max_attempts."""
    overdue: bool = False
    """report_by has been set and has passed."""
    expected: bool = False
    """report_by lies ahead: the instance is expected to report again."""
    same_worker: bool = False
    """The caller is the worker node that already runs the instance."""
    superseded: bool = False
    """The task has been given a later attempt."""


class Premise(NamedTuple):
    """All the standings from which one ruling follows: what the write that carries it out must find."""

    task_instance: frozenset[TaskInstanceStatus]
    task: frozenset[TaskStatus] | None
    """None: whatever the task's status."""
    attempts_left: bool | None = None
    """None: whether attempts are left or not."""
    superseded: bool | None = None
    """None: whether there is a later attempt or not."""
    overdue: bool = False
    """report_by must have been set and have passed."""
    unexpected: bool = False
    """report_by must not lie ahead."""
