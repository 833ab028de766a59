"""Each scenario with each fault at each of its requests, and what must come of it."""

import json
from binascii import crc32
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import islice
from random import Random
from string import digits
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from lockstep.clock import CALL_SECONDS
from tests.conformance.client import SYMBOL
from tests.conformance.places import number_of, with_symbols
from tests.support.memory.expressions import Item
from tests.support.memory.operations import Reply, Table
from tests.verification.faults.comparing import Partitions, is_among, partitions
from tests.verification.faults.engine import Call, Fault, Sent, Struck, World, in_turn
from tests.verification.faults.kinds import FAULTS, TIMES
from tests.verification.faults.rules import due_too_late, violations
from tests.verification.faults.scenarios import ROUTES, Ask, Scenario, player

PROBLEM: Final = {"type": "about:blank", "title": "Service Unavailable", "status": 503}
PAUSE: Final = 1.0
"""Seconds after which a client sends a request again."""
SLACK: Final = 1.0
"""Seconds that a batch may be looked at late."""


class Answered(NamedTuple):
    """What a request was answered, and what stood in the table then."""

    status: int
    reply: Any
    table: Table
    passed: float
    """Seconds since it was sent first."""


class Judged(NamedTuple):
    """What came of a run."""

    status: int
    wrong: list[str]


@dataclass(frozen=True, slots=True)
class Clean:
    """A scenario on a good day: the request, and the same request again."""

    ask: Ask
    before: Table
    sent: Sequence[Sent]
    first: Answered
    second: Answered
    pieces: int
    known: Mapping[str, list[Any]]
    """Every state that a partition has had, None where it was not there."""
    done: tuple[Partitions, Partitions]
    """What stands after the first and after the second."""


@dataclass
class Tally:
    """How much was tried, and what came of it that must not."""

    runs: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    """By route, the first fault and how often it struck in a row."""
    unavailable: int = 0
    """How many were answered 503, and were right only when sent again."""
    failures: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Count another one's too."""
        self.runs += other.runs
        self.unavailable += other.unavailable
        self.failures += other.failures

    def note(self, scenario: Scenario, plan: Sequence[Struck], judged: Judged, *, backwards: bool) -> None:
        """Count one run."""
        self.runs[scenario.route, plan[0].fault.name, plan[0].times] += 1
        self.unavailable += judged.status == PROBLEM["status"]
        where = f"{scenario}, {' and '.join(map(str, plan))}{', backwards' if backwards else ''}"
        self.failures += [f"{where}: {what}" for what in judged.wrong]


@contextmanager
def limited(scenario: Scenario) -> Iterator[None]:
    """The layer with the scenario's limits."""
    with ExitStack() as stack:
        for name, value in scenario.limits.items():
            stack.enter_context(patch(name, value))
        yield


def play_clean(world: World, scenario: Scenario) -> Clean:
    """Prepare a scenario, and see how it goes."""
    world.begin(Table())
    request = scenario.prepare()
    before = world.table
    world.begin(before, passed=scenario.wait)
    first = send(world, request)
    sent = list(world.sent)
    pieces = world.pieces
    world.clock.sleep(PAUSE)
    second = send(world, request)
    known: dict[str, list[Any]] = {}
    tables = [before, *(each.after for each in world.sent)]
    for parts in (partitions(before.items, table.items) for table in tables):
        for pk, partition in parts.items():
            states = known.setdefault(pk, [None])
            if partition not in states:
                states.append(partition)
    done = partitions(before.items, first.table.items), partitions(before.items, second.table.items)
    return Clean(request, before, sent, first, second, pieces, known, done)


def send(world: World, request: Ask) -> Answered:
    """Send a request."""
    status, reply = player().send(request.method, request.path, request.body, **request.query)
    return Answered(status, reply, world.table, world.clock.passed - world.began)


def run(world: World, scenario: Scenario, clean: Clean, plan: Sequence[Struck]) -> Judged:
    """What comes of the scenario when faults strike, and of the same request once they are over."""
    world.budget = scenario.budget
    world.begin(clean.before, plan, scenario.wait)
    struck = send(world, clean.ask)
    wrong = [*_of_reply(scenario, clean, struck), *_of_time(world, scenario, struck), *_of_table(clean, struck)]
    world.plan = ()
    world.clock.sleep(PAUSE)
    again = send(world, clean.ask)
    return Judged(struck.status, [*wrong, *_of_retry(scenario, clean, again, world)])


GO_THROUGH_TASKS: Final = frozenset({"set_resume_state", "increase_resources"})
ANOTHER_GOES_THROUGH: Final = "another call goes through the tasks; send it again"
"""The end of what one of two calls of these routes may be told that go through a workflow's tasks at once.

A client that is alone and is told so when it sends its call again never gets through.
"""


def meet(world: World, scenario: Scenario, clean: Clean, position: int) -> list[str]:
    """What is wrong where the same request comes again, and is served, just before one of the first one's requests."""
    between: list[Answered] = []

    def strike(call: Call) -> Reply:
        world.plan = ()
        between.append(send(world, clean.ask))
        return call.carry_out()

    world.budget = scenario.budget
    world.begin(clean.before, [Struck(Fault("the same request", strike), position, 1)], scenario.wait)
    last = send(world, clean.ask)
    answered = [reply._replace(table=last.table) for reply in (*between, last)]
    told = [reply for reply in answered if not _another_goes_through(scenario, reply)]
    return [*(what for reply in told for what in _of_repeated(scenario, clean, reply)), *_of_two(clean, last)]


def _another_goes_through(scenario: Scenario, answered: Answered) -> bool:
    return (
        scenario.route in GO_THROUGH_TASKS
        and answered.status == HTTPStatus.SERVICE_UNAVAILABLE
        and answered.reply["detail"].endswith(ANOTHER_GOES_THROUGH)
    )


def _of_repeated(scenario: Scenario, clean: Clean, answered: Answered) -> Iterator[str]:
    """A request that comes twice is answered as one of two clean calls is, or as the scenario says."""
    fine = {(answer.status, _plain(scenario, clean, answer)) for answer in (clean.first, clean.second)}
    if (answered.status, _plain(scenario, clean, answered)) not in fine and not (
        answered.status == HTTPStatus.OK and scenario.also(answered.reply, clean.first.reply)
    ):
        yield f"answered {answered.status} {answered.reply}"


def _of_two(clean: Clean, last: Answered) -> Iterator[str]:
    """All stands as after one clean call or two."""
    parts = partitions(clean.before.items, last.table.items)
    for pk in sorted(parts.keys() | clean.done[0].keys()):
        if not is_among(parts.get(pk), [done.get(pk) for done in clean.done], last.passed):
            yield f"{pk} is not as after clean calls: {parts.get(pk)}"
    yield from violations(clean.before.items, last.table.items)


def _of_reply(scenario: Scenario, clean: Clean, struck: Answered) -> Iterator[str]:
    """It is what a clean call is answered, and then it is done; or a 503 in the form of all problems."""
    if struck.status == 503:
        if not PROBLEM.items() <= struck.reply.items() or not struck.reply["detail"]:
            yield f"no problem document: {struck.reply}"
        return
    first = clean.first
    if (struck.status, _plain(scenario, clean, struck)) != (first.status, _plain(scenario, clean, first)):
        yield f"answered {struck.status} {struck.reply} and not {first.status} {first.reply}"
    parts = partitions(clean.before.items, struck.table.items)
    for pk in sorted(parts.keys() | clean.done[0].keys()):
        if not is_among(parts.get(pk), [clean.done[0].get(pk)], struck.passed):
            yield f"answered, but {pk} is not as after a clean call: {parts.get(pk)}"


def _of_time(world: World, scenario: Scenario, struck: Answered) -> Iterator[str]:
    if struck.passed > scenario.budget + CALL_SECONDS:
        yield f"answered after {struck.passed:.2f} s"
    late = [f"{began:.2f}" for began in world.calls if began >= scenario.budget]
    if late:
        yield f"calls began after {', '.join(late)} s"


def _of_table(clean: Clean, struck: Answered) -> Iterator[str]:
    """No partition stands as it never does on a good day, and every rule holds."""
    parts = partitions(clean.before.items, struck.table.items)
    for pk in sorted(parts.keys() | clean.known.keys()):
        if not is_among(parts.get(pk), clean.known.get(pk, [None]), struck.passed):
            yield f"{pk} is as it never is: {parts.get(pk)}"
    yield from violations(clean.before.items, struck.table.items)


def _of_retry(scenario: Scenario, clean: Clean, again: Answered, world: World) -> Iterator[str]:
    """It is answered at once, as one of two clean calls is, and all stands as after them."""
    yield from (f"sent again, {what}" for what in _of_repeated(scenario, clean, again))
    parts = partitions(clean.before.items, again.table.items)
    for pk in sorted(parts.keys() | clean.done[0].keys()):
        fine_too = clean.known.get(pk, []) if pk.startswith("BATCH#") else []
        if not is_among(parts.get(pk), [*(done.get(pk) for done in clean.done), *fine_too], again.passed):
            yield f"sent again, and {pk} is not as after clean calls: {parts.get(pk)}"
    yield from (f"sent again: {what}" for what in violations(clean.before.items, again.table.items))
    yield from due_too_late(again.table.items, world.clock.time(), SLACK)


def _plain(scenario: Scenario, clean: Clean, answered: Answered) -> str:
    """A reply without the time, and with the ids that were given out under names that do not tell which."""
    reply = answered.reply
    if answered.status != HTTPStatus.OK:
        return str((reply.get("status"), reply.get("detail")))
    route = ROUTES[scenario.route].resource
    told = with_symbols({"route": route, "path": route, "request": None, "response": reply})["response"]
    return SYMBOL.sub(lambda symbol: str(_named(clean, answered, symbol[1])), json.dumps(told))


_PARTITIONS: Final = {
    "ARRAY": ("ARRAY#", "ARRAYOF#"),
    "TASK": ("TASK#", "TASKOF#"),
    "TOOL": ("TOOL#", "TOOLOF#"),
    "TR": ("RESOURCES#", ""),
    "TT": ("TEMPLATE#", "TOOLVERSION#"),
    "TTV": ("", "TEMPLATE#"),
    "TV": ("TOOLVERSION#", ""),
    "WF": ("WORKFLOW#", "WORKFLOWOF#"),
    "WFR": ("RUN#", ""),
}
"""By the kind of an id: what its item's key begins with, and that of the item which holds it under a name."""


def _named(clean: Clean, answered: Answered, symbol: str) -> Any:
    """What stands in the table under an id that is new; the id itself, if it is not."""
    number = number_of(symbol)
    kept, named = _PARTITIONS.get(symbol.strip("$" + digits), ("", ""))
    pk = f"{kept}{number}"
    if not (kept or named) or any(key[0] == pk for key in clean.before.items):
        return number
    items = answered.table.items.items()
    if named:
        found = [
            "".join(key) for key, item in items if key[0].startswith(named) and item.get("id") == {"N": str(number)}
        ]
    else:
        found = [_said(item) for key, item in items if key[0] == pk]
    return found or f"{symbol} is not there"


def _said(item: Item) -> str:
    return str(
        sorted(
            (name, str(value)) for name, value in item.items() if name not in {"pk", "heartbeat_date", "status_date"}
        )
    )


def every_fault(_: Scenario, clean: Clean) -> Iterator[list[Struck]]:
    """Each fault at each request that it can strike, as often as it can strike it."""
    for position, sent in enumerate(clean.sent):
        for fault in FAULTS:
            if fault.can_strike(sent):
                yield from ([Struck(fault, position, times)] for times in TIMES)


def pairs_of_faults(clean: Clean, chance: Random, most: int) -> Iterator[list[Struck]]:
    """Some pairs: the second strikes what the first has led to."""
    for _ in range(most if clean.sent else 0):
        position = chance.randrange(len(clean.sent))
        first = chance.choice([fault for fault in FAULTS if fault.can_strike(clean.sent[position])])
        times = chance.choice([1, 2])
        later = position + times + chance.randrange(4)
        yield [Struck(first, position, times), Struck(chance.choice(FAULTS), later, chance.choice(list(TIMES)))]


def sampled(plans: Iterable[list[Struck]], scenario: Scenario, one_of: int) -> Iterator[list[Struck]]:
    """Every so manieth, always the same ones, and others for each scenario."""
    return islice(plans, crc32(str(scenario).encode()) % one_of, None, one_of)


Plans = Callable[[Scenario, Clean], Iterable[list[Struck]]]


def try_out(world: World, scenario: Scenario, plans: Plans) -> Tally:
    """A scenario with faults, done from first to last; and from last to first, where things go side by side."""
    tally = Tally()
    with limited(scenario):
        for backwards in (False, True):
            with in_turn(world, backwards=backwards):
                clean = play_clean(world, scenario)
                for plan in plans(scenario, clean):
                    tally.note(scenario, plan, run(world, scenario, clean, plan), backwards=backwards)
            if clean.pieces < 2:
                break
    return tally
