"""A running server that speaks Jobmon's API, and what was launched on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sim.client import Client

Pair = tuple[str, str]
"""The statuses of an instance and of its task."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Instances that are LAUNCHED."""

    workflow_id: int
    array_id: int
    run_id: int
    instance_ids: list[int]
    """In the order of their steps."""

    @property
    def steps(self) -> list[list[int]]:
        """Array id, batch number and step of each."""
        return [[self.array_id, 1, step] for step, _ in enumerate(self.instance_ids)]


@dataclass(frozen=True, slots=True)
class Server:
    """A server: its address, its processes, and what Lockstep and Jobmon do differently."""

    url: str
    """With the routes' prefix."""
    pid: int
    """The parent of all processes that serve."""
    engine: int | None
    """The process id of its database; None: the database is a part of the server."""
    pairs: Callable[[Client, Batch, Mapping[int, int]], dict[int, Pair]]
    """Read the statuses of instances, given with their tasks."""
