"""The objects that the parts of the walk share: the API, the checks, and the workflow that they walk through."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ops.verify.api import Api
from ops.verify.checks import Checks
from sim import requests

FIRST_WORKFLOW_ID: Final = 9_000_000_000_000_000
"""Workflow ids from here on are verification's own, each the time of its walk in milliseconds above this.

A deployment takes a workflow's id from its caller, so a fresh one must be one that no workflow has. Jobmon counts its
workflows up from 1 and never comes near. The largest id that a deployment takes is 2^53 - 1: that leaves milliseconds
until the year 2198.
"""
UNKNOWN_TASK: Final = 9_007_199_254_740
"""The last task id whose instances have valid ids. Task ids are counted up from 1 and never come near."""
INSTANCES_PER_TASK: Final = 1_000
"""A task's n-th instance has this many times the task's id, plus n, for an id."""
REPORT_SECONDS: Final = 600
"""Longer than the walk takes: no report of it falls due."""


class Workflow(NamedTuple):
    """A workflow that nobody else has, and the name that all of its parts begin with."""

    workflow_id: int
    name: str


class Bound(NamedTuple):
    """The ids that were bound for the walk."""

    array_id: int
    task_resources_id: int
    workflow_run_id: int
    tasks: Mapping[str, int]
    """Task ids by what becomes of the task."""


class Attempt(NamedTuple):
    """One attempt at a task."""

    task_instance_id: int
    batch_num: int


@dataclass
class Session:
    """One walk."""

    api: Api
    checks: Checks
    workflow: Workflow
    bound: Bound
    batches: int = 0
    """Batches queued so far: their numbers count up from 1 in each array."""

    def check_pair(self, sentence: str, attempt: Attempt, instance: str, task: str) -> None:
        """Check the statuses of an attempt and of its task, as one read sees them.

        Raises:
            StopError: they differ.
        """
        view = self.api.send(requests.get_instance(attempt.task_instance_id))
        seen = view.value("task_instance", "status"), view.value("task", "status")
        self.checks.require(sentence, seen, (instance, task))

    def errors(self, attempt: Attempt) -> Any:
        """The descriptions of an attempt's error entries."""
        entries = self.api.send(requests.get_errors(attempt.task_instance_id)).value("task_instance_error_log")
        return [entry[2] for entry in entries] if isinstance(entries, list) else entries

    def queue(self, task_id: int) -> Any:
        """Queue a task and return the answered task ids by status."""
        bound = self.bound
        request = requests.queue(bound.array_id, [task_id], bound.task_resources_id, bound.workflow_run_id)
        return self.api.send(request).value("tasks_by_status")

    def move_run(self, status: str) -> Any:
        """Ask the workflow run to move and return the status that stands."""
        return self.api.send(requests.move_run(self.bound.workflow_run_id, status)).value("status")


def new_workflow() -> Workflow:
    """A workflow for one walk."""
    now = time.time()
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    return Workflow(FIRST_WORKFLOW_ID + int(now * 1000), f"lockstep-verify-{stamp}")
