"""One pass of all loads over one server."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from bench.load.generating import generate_on
from bench.load.load import Kind, Load
from bench.load.measured import Measured, judge
from bench.load.preparing import launch, start
from bench.load.reports import CONFLICTING
from bench.load.server import Server
from sim.client import Client


@dataclass(frozen=True, slots=True)
class Sizes:
    """The amount of work in a pass. All of it is one array."""

    steps: int = 1000
    """The size of the array. Each step is looked up."""
    warm_up: int = 24
    """Lives that are not counted."""
    lives: Mapping[int, int] = field(default_factory=lambda: {1: 60, 8: 120, 32: 240})
    """The number of lives, by the number of clients."""
    lookup_clients: int = 32
    rounds: int = 20
    """Rounds of contention, each on an instance of its own."""


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a load."""

    what: str
    kind: Kind
    clients: int

    def __str__(self) -> str:
        return f"{self.what}, {self.clients} client{'s' if self.clients > 1 else ''}"


def one_pass(server: Server, sizes: Sizes) -> Iterator[tuple[Name, Measured]]:
    """Carry out every load once, on a new array.

    Raises:
        UnansweredError: the array could not be made.
    """
    with Client(server.url) as client:
        batch = launch(client, sizes.steps)
        fresh = iter(batch.instance_ids)
        generate_on(server, Load(Kind.LIVES, server.url, max(sizes.lives), list(islice(fresh, sizes.warm_up))))
        for clients, lives in sizes.lives.items():
            yield _measure(server, Name("hot life", Kind.LIVES, clients), list(islice(fresh, lives)))
        yield _measure(server, Name("array lookup", Kind.LOOKUPS, sizes.lookup_clients), batch.steps)
        contended = list(islice(fresh, sizes.rounds))
        tasks = start(client, contended)
        name, measured = _measure(server, Name("contention", Kind.CONTENTION, len(CONFLICTING)), contended)
        verdict = judge(measured.found.acknowledged, server.pairs(client, batch, tasks))
        yield name, measured._replace(verdict=verdict)


def _measure(server: Server, name: Name, targets: list[int] | list[list[int]]) -> tuple[Name, Measured]:
    return name, Measured(*generate_on(server, Load(name.kind, server.url, name.clients, list(targets))))
