"""The state of a pair, a task instance and its task, at one moment, and the guard that a write carries."""

from enum import StrEnum
from typing import NamedTuple

from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus


class Reporter(StrEnum):
    """The sender of a report, identified by its names and the names of the claim on the instance."""

    CLAIMANT = "claimant"
    """The worker node that claimed the instance, or the job that it runs as, as far as both are named."""
    RESTART = "restart"
    """The same job of the cluster, on another node or in another process."""
    OTHER = "other"
    """Another worker node, or another job."""


class Names(StrEnum):
    """The party that the names in a report identify."""

    WORKER = "worker"
    """The worker node that sends it: its job and its node."""
    JOB = "job"
    """The job that the distributor reports on, in the distributor's own form of its id."""


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
    reporter: Reporter = Reporter.CLAIMANT
    """The sender of the report."""
    just_claimed: bool = False
    """The last claim is so recent that an equal claim, or one of the same job, comes from a rival."""
    superseded: bool = False
    """The task has a later attempt."""


class Guard(NamedTuple):
    """The condition of the write that carries a ruling out: a set of instance statuses and a set of task statuses.

    A refusal's guard does not hold report_by: a refusal that has just become stale moves nothing.
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
    same_claim: bool = False
    """The last claim on the instance must be the one that was seen."""
    names: Names | None = None
    """The names in the report must not contradict those of the claim. None: they do not matter."""

    @property
    def concerns_task(self) -> bool:
        """Whether the guard has a condition on the task."""
        return (self.task, self.attempts_left, self.superseded) != (None, None, None)
