"""A table whose engine has a bad moment, or a bad day: the requests that reach it, and what strikes them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self
from unittest.mock import patch

from lockstep.clock import BUDGET_SECONDS
from lockstep.cluster import known
from lockstep.dynamodb.client import connection
from lockstep.task.resources import forget
from tests.support.memory.boundary import answered_by
from tests.support.memory.operations import Reply, Request, Table, answer, refusal
from tests.support.memory.threads import finish, threads_are
from tests.support.memory.virtual_time import VirtualTime, running_on

FOREVER: Final = 10**9
MOST_TRIES: Final = 500
"""A request that sends more than so many has lost its sense of time: the clock stands still while it works."""


class Sent(NamedTuple):
    """A request that reached the engine, and what became of it."""

    operation: str
    reply: Reply | None
    """None: no reply came."""
    after: Table
    of_index: str | None = None
    """The index that it queries."""


class Call(NamedTuple):
    """A request that is struck."""

    world: "World"
    operation: str
    request: Request

    def carry_out(self) -> Reply:
        """What the engine does with it on a good day."""
        return self.world.carry_out(self.operation, self.request)

    def takes(self, seconds: float) -> None:
        """Time passes."""
        self.world.clock.sleep(seconds)


class Fault(NamedTuple):
    """One way to fail."""

    name: str
    strike: Callable[[Call], Reply]
    """May raise, as a connection that breaks does."""
    applies: Callable[[Sent], bool] = lambda _: True
    """To a request, by how it went on a good day."""
    operations: frozenset[str] = frozenset()
    """All, if none are named."""

    def can_strike(self, sent: Sent) -> bool:
        """Whether it is a way for this request to fail."""
        return (not self.operations or sent.operation in self.operations) and self.applies(sent)


class Struck(NamedTuple):
    """Where a fault strikes, and how many requests in a row."""

    fault: Fault
    position: int
    times: int

    def __str__(self) -> str:
        """In words."""
        return f"{self.fault.name} at {self.position}, {'for ever' if self.times == FOREVER else f'{self.times} times'}"

    def takes(self, position: int, operation: str) -> bool:
        """Whether it strikes this one."""
        hit = self.position <= position < self.position + self.times
        return hit and (not self.fault.operations or operation in self.fault.operations)


@dataclass
class World:
    """A table, a clock, what was sent, and what is to go wrong."""

    clock: VirtualTime = field(default_factory=VirtualTime)
    table: Table = field(default_factory=Table)
    plan: Sequence[Struck] = ()
    sent: list[Sent] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    """When a call began: botocore may send it twice."""
    began: float = 0.0
    budget: float = BUDGET_SECONDS
    """Of the route: when its last call may begin."""
    cancelled: set[str] = field(default_factory=set)
    """Tokens of transactions whose cancellation the engine repeats."""
    pieces: int = 0
    """The most that were to be done side by side."""

    def begin(self, table: Table, plan: Sequence[Struck] = (), passed: float = 0.0) -> None:
        """Start afresh with what stands in a table, so many seconds after it was prepared."""
        self.clock.passed = self.began = passed
        self.table, self.plan = table, plan
        self.sent, self.calls, self.pieces, self.cancelled = [], [], 0, set()
        forget()
        known.forget()

    def answer(self, operation: str, request: dict[str, Any]) -> Reply:
        """What the request is answered, the fault considered."""
        position = len(self.sent)
        assert position < MOST_TRIES, "it never gives up"
        index = request.get("IndexName")
        self.sent.append(Sent(operation, None, self.table, index))
        struck = next((struck for struck in self.plan if struck.takes(position, operation)), None)
        call = Call(self, operation, request)
        try:
            if request.get("ClientRequestToken") in self.cancelled:
                reply = refusal("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])
            else:
                reply = struck.fault.strike(call) if struck else call.carry_out()
        finally:
            self.sent[position] = Sent(operation, None, self.table, index)
        self.sent[position] = Sent(operation, reply, self.table, index)
        return reply

    def carry_out(self, operation: str, request: Request) -> Reply:
        """What the engine does with a request on a good day."""
        self.table, reply = answer(self.table, operation, request)
        return reply


class InTurn:
    """Stands in for a pool of threads: one piece after another, so that requests come in an order that repeats."""

    backwards = False
    world: World

    def __init__(self, _: int) -> None:
        self._aside: list[tuple[Future[Any], Callable[[], Any]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._work_off()

    def submit(self, work: Callable[..., Any], *arguments: Any) -> "_Aside":
        """Done at once; or where the order is turned round, when the result is asked for."""
        self._note(2)
        future: Future[Any] = Future()
        self._aside.append((future, lambda: work(*arguments)))
        if not self.backwards:
            self._work_off()
        return _Aside(future, self._work_off)

    def map(self, work: Callable[..., Any], *pieces: Iterable[Any]) -> Iterator[Any]:
        """The results in order."""
        together = list(zip(*pieces, strict=True))
        self._note(len(together))
        futures: list[Future[Any]] = [Future() for _ in together]
        todo = list(zip(futures, together, strict=True))
        for future, piece in reversed(todo) if self.backwards else todo:
            finish(future, lambda: work(*piece))  # noqa: B023  # called at once
        return (future.result() for future in futures)

    def _note(self, pieces: int) -> None:
        self.world.pieces = max(self.world.pieces, pieces)

    def _work_off(self) -> None:
        aside, self._aside = self._aside, []
        for future, work in aside:
            finish(future, work)


class _Aside(NamedTuple):
    future: Future[Any]
    work_off: Callable[[], None]

    def result(self) -> Any:
        self.work_off()
        return self.future.result()


@contextmanager
def working() -> Iterator[World]:
    """This process's functions work on a world: its table, its time, one request after another.

    What is left to chance takes its largest value: the longest pauses.
    """
    world = World()
    with (
        running_on(world.clock),
        answered_by(world.answer),
        patch("lockstep.dynamodb.client.random.uniform", lambda _, most: most),
        in_turn(world, backwards=False),
    ):
        events = connection().client.meta.events
        events.register("before-call.dynamodb", lambda **_: world.calls.append(world.clock.passed - world.began))
        yield world


@contextmanager
def in_turn(world: World, *, backwards: bool) -> Iterator[None]:
    """What would be done side by side is done from first to last, or from last to first."""
    pool = type("_Pool", (InTurn,), {"backwards": backwards, "world": world})
    with threads_are(pool):
        yield
