"""A server of Jobmon's wire that runs, and what it must be told before an instance can be launched."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.load.client import Client

MODULES: Final = {"PYTHONPATH": os.pathsep.join((".", "shared"))}
"""The environment of our programs, which run in ROOT."""
Pair = tuple[str, str]
"""The statuses of an instance and of its task."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What tasks are bound to."""

    workflow_id: int
    task_template_version_id: int
    node_ids: list[int]
    """One for each task."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Instances that are LAUNCHED."""

    ground: Ground
    array_id: int
    workflow_run_id: int
    task_instance_ids: list[int]
    """In the order of their steps."""

    @property
    def steps(self) -> list[list[int]]:
        """Array id, batch number and step of each."""
        return [[self.array_id, 1, step] for step, _ in enumerate(self.task_instance_ids)]


@dataclass(frozen=True, slots=True)
class System:
    """Where it serves, what it is made of, and how it differs from the other."""

    url: str
    """With the routes' prefix."""
    server: int
    """The process id of its server, the parent of all that serve."""
    engine: int | None
    """Of its database; None: that is a part of the server."""
    lay_ground: Callable[[Client, int], Ground]
    """For so many tasks."""
    pairs: Callable[[Client, Batch, Mapping[int, int]], dict[int, Pair]]
    """How instances, given with their tasks, stand."""
