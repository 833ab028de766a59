"""Every order of the calls of requests that are served at the same time, and where it leads."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.support.memory.expressions import Item
from tests.support.memory.operations import Key, Table, answer
from tests.verification.explore.courses import Call, Course


class End(NamedTuple):
    """How a schedule ends: what stands in the table, and what each client hears."""

    table: "State"
    replies: tuple[tuple[int, str], ...]


class Explored(NamedTuple):
    """All schedules from one moment on."""

    schedules: int
    ends: frozenset[End]


class State:
    """A table at one moment. Of the same items there is one only, so that it is its own name."""

    def __init__(self, table: Table, states: "States") -> None:
        self.items: Mapping[Key, Item] = table.items
        self._table = table
        self._states = states
        self._after: dict[tuple[str, str], tuple[State, str]] = {}

    def after(self, call: Call) -> tuple["State", str]:
        """The state that a call leaves, and its reply."""
        asked = call.operation, call.request
        if asked not in self._after:
            table, reply = answer(self._table, call.operation, json.loads(call.request))
            self._after[asked] = self._states.state(table), json.dumps(reply)
        return self._after[asked]


class States:
    """All that were looked at."""

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._known: dict[frozenset[tuple[Key, int]], State] = {}

    def state(self, table: Table) -> State:
        """The state in which a table stands so."""
        items = {key: self._interned(item) for key, item in table.items.items()}
        name = frozenset((key, id(item)) for key, item in items.items())
        return self._known.setdefault(name, State(Table(items), self))

    def _interned(self, item: Item) -> Item:
        return self._items.setdefault(json.dumps(item, sort_keys=True), item)


def explore(state: State, *courses: Course, lag: bool = False) -> Explored:
    """Every order in which the calls of all of them can reach the table.

    With lag, a read that may lag behind is answered in two ways: with what stands there, and with what stood there
    before any of them came.
    """
    first = state
    known: dict[tuple[Any, ...], Explored] = {}

    def onwards(state: State, courses: tuple[Course, ...]) -> Explored:
        moment = (state, *courses)
        found = known.get(moment)
        if found is None:
            found = known[moment] = branch(state, courses)
        return found

    def branch(state: State, courses: tuple[Course, ...]) -> Explored:
        nexts = [
            onwards(after, (*courses[:turn], course.after(call, reply), *courses[turn + 1 :]))
            for turn, course in enumerate(courses)
            for call in course.pending
            for after, reply in {state.after(call), *([(state, first.after(call)[1])] if lag and call.may_lag else [])}
        ]
        if not nexts:
            replies = tuple(course.reply for course in courses if course.reply)
            return Explored(1, frozenset({End(state, replies)}))
        return Explored(sum(each.schedules for each in nexts), frozenset().union(*(each.ends for each in nexts)))

    return onwards(state, courses)


def serially(state: State, *courses: Course) -> frozenset[End]:
    """Where the requests lead that are served one after another, in any order."""
    ends: set[End] = set()
    for turn, course in enumerate(courses):
        for first in explore(state, course).ends:
            rest = serially(first.table, *courses[:turn], *courses[turn + 1 :])
            ends |= {End(end.table, (*end.replies[:turn], *first.replies, *end.replies[turn:])) for end in rest}
    return frozenset(ends or {End(state, ())})
