"""The state of a pair, a task instance and its task, at one moment, as far as a ruling depends on it."""

from enum import StrEnum
from typing import NamedTuple

from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus


class Reporter(StrEnum):
    """The sender of a report, identified by its names and the names of the claim on the instance."""

    CLAIMANT = "claimant"
    """Nothing contradicts that it is the worker node that claimed the instance, or the job that it runs as.

    So it is where nobody has claimed the instance yet, and where one of the two names nothing.
    """
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
