"""One pass of all loads over one system."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bench.load.client import Client
from bench.load.generating import generate_on
from bench.load.load import Kind, Load
from bench.load.measured import Measured, judge
from bench.load.preparing import launch, start
from bench.load.reports import CONFLICTING
from bench.load.system import Batch, System


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is asked of a system in a pass. All of it is one array."""

    steps: int = 1000
    """Of the array. Each is looked up."""
    warm_up: int = 24
    """Lives that are not counted."""
    lives: Mapping[int, int] = field(default_factory=lambda: {1: 60, 8: 120, 32: 240})
    """How many, by the number of clients."""
    lookup_clients: int = 32
    rounds: int = 20
    """Of contention, each on an instance of its own."""


@dataclass(frozen=True, slots=True)
class Name:
    """Of a load."""

    what: str
    kind: Kind
    clients: int

    def __str__(self) -> str:
        return f"{self.what}, {self.clients} client{'s' if self.clients > 1 else ''}"


def one_pass(system: System, sizes: Sizes) -> Iterator[tuple[Name, Measured]]:
    """Every load once, on a new array.

    Raises:
        NotOkError: the array could not be made.
    """
    with Client(system.url) as client:
        batch = launch(system, client, sizes.steps)
        fresh = iter(batch.task_instance_ids)
        warm_up = Load(Kind.LIVES, system.url, max(sizes.lives), _take(fresh, sizes.warm_up))
        generate_on(system, warm_up)
        for clients, lives in sizes.lives.items():
            yield _measure(system, Name("hot life", Kind.LIVES, clients), _take(fresh, lives))
        yield _measure(system, Name("array lookup", Kind.LOOKUPS, sizes.lookup_clients), batch.steps)
        yield _contend(system, client, batch, _take(fresh, sizes.rounds))


def _take(fresh: Iterator[int], number: int) -> list[int]:
    return [next(fresh) for _ in range(number)]


def _measure(system: System, name: Name, targets: list[int] | list[list[int]]) -> tuple[Name, Measured]:
    found, cost = generate_on(system, Load(name.kind, system.url, name.clients, list(targets)))
    return name, Measured(found, cost)


def _contend(system: System, client: Client, batch: Batch, task_instance_ids: list[int]) -> tuple[Name, Measured]:
    tasks = start(client, task_instance_ids)
    name, measured = _measure(system, Name("contention", Kind.CONTENTION, len(CONFLICTING)), task_instance_ids)
    verdict = judge(measured.found.acknowledged, system.pairs(client, batch, tasks))
    return name, Measured(measured.found, measured.cost, verdict)
