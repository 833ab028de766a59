"""A request on its way, as a function of what it has been told so far.

A handler knows nothing but its request, its clock and the replies to its calls. So it can be stopped between any two
calls and go on later: it runs again from the start, hears what it has heard, and stops where it asks what nobody has
answered. What it came to is remembered.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from lockstep.cluster import known
from lockstep.routes import route
from lockstep.task.resources import forget
from tests.conformance.recording import Player
from tests.support.memory import VirtualTime, running_on
from tests.support.memory.boundary import calls_answered_by
from tests.support.memory.operations import Reply
from tests.support.memory.threads import finish, threads_are
from tests.support.memory.virtual_time import START


class Request(NamedTuple):
    """What a client sends, and how far off the clock is of the function that serves it."""

    method: str
    path: str
    body: str
    skew: float = 0.0
    """Seconds."""


PARAMETER: Final = re.compile(r"\{\w+\}")


def asked(name: str, /, *ids: int, **body: Any) -> Request:
    """A request to a route, about what has these ids."""
    found, numbers = route(name), iter(ids)
    path = PARAMETER.sub(lambda _: str(next(numbers)), found.resource)
    return Request(found.method, path, "" if found.method == "GET" else json.dumps(body))


class Call(NamedTuple):
    """What is done to the table at one moment: a request of DynamoDB, or one item's part of a batch's read."""

    operation: str
    request: str
    nth: int
    """A request may be sent again."""

    @property
    def may_lag(self) -> bool:
        """Whether DynamoDB may answer with what stood there a moment ago."""
        return self.operation in _READS and '"ConsistentRead": true' not in self.request


_READS: Final = {"BatchGetItem", "Query"}

Told = frozenset[tuple[Call, str]]
"""Calls with their replies."""


class _Unanswered(BaseException):
    """No handler may catch it."""


@dataclass(frozen=True, eq=False)
class Course:
    """How far a request has come. Of the same request that has been told the same there is one only."""

    request: Request
    told: Told
    pending: tuple[Call, ...]
    """What it asks now. It may ask several things at a time."""
    reply: tuple[int, str] | None
    """What its client hears; None while it asks."""
    _courses: "Courses" = field(repr=False)

    def after(self, call: Call, reply: str) -> "Course":
        """The course once one of the pending calls is answered."""
        return self._courses.course(self.request, self.told | {(call, reply)})


class Courses:
    """All that were looked at."""

    def __init__(self) -> None:
        self._known: dict[tuple[Request, Told], Course] = {}
        self._run = _Run({})

    def start(self, request: Request) -> Course:
        """A request that has just come."""
        return self.course(request, frozenset())

    def course(self, request: Request, told: Told) -> Course:
        """How far a request is that has been told so much."""
        known = self._known.get((request, told))
        if known is None:
            known = self._known[request, told] = self._follow(request, told)
        return known

    def _follow(self, request: Request, told: Told) -> Course:
        self._run = _Run(dict(told))
        forget()
        known.forget()
        try:
            with running_on(VirtualTime(START + request.skew)):
                status, reply = _PLAYER.send(request.method, request.path, request.body)
        except _Unanswered:
            return Course(request, told, tuple(sorted(self._run.pending)), None, self)
        return Course(request, told, (), (status, json.dumps(reply, sort_keys=True)), self)

    def answer(self, operation: str, request: dict[str, Any]) -> Reply:
        """Of this process's functions' calls."""
        return self._run.answer(operation, request)


@contextmanager
def courses() -> Iterator[Courses]:
    """Courses of this process's functions, which call no other DynamoDB meanwhile.

    They try again without a pause. A random one would make another course of each time that a request is followed.
    """
    known = Courses()
    at_once = patch("lockstep.dynamodb.client.random.uniform", lambda *_: 0.0)
    with calls_answered_by(known.answer), threads_are(_InTurn), at_once:
        yield known


class _InTurn(Executor):
    """Threads that run one after another, each until it asks: so all that will ask have asked when one waits."""

    def __init__(self, threads: int) -> None:
        assert threads

    def submit(self, work: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        finish(future, partial(work, *args, **more))
        return future


class _Run:
    """One run of a handler."""

    def __init__(self, told: Mapping[Call, str]) -> None:
        self._told = told
        self._sent: Counter[tuple[str, str]] = Counter()
        self.pending: set[Call] = set()

    def answer(self, operation: str, request: dict[str, Any]) -> Reply:
        calls = [self._call(operation, part) for part in _parts(operation, request)]
        unanswered = [call for call in calls if call not in self._told]
        if unanswered:
            self.pending.update(unanswered)
            raise _Unanswered
        replies = [Reply(*json.loads(self._told[call])) for call in calls]
        return _together(replies) if len(replies) > 1 else replies[0]

    def _call(self, operation: str, request: Mapping[str, Any]) -> Call:
        text = json.dumps(request, sort_keys=True)
        self._sent[operation, text] += 1
        return Call(operation, text, self._sent[operation, text])


def _parts(operation: str, request: dict[str, Any]) -> list[dict[str, Any]]:
    """A batch is read item by item: DynamoDB isolates no more. A transaction is told apart by what it does."""
    if operation != "BatchGetItem":
        return [{name: value for name, value in request.items() if name != "ClientRequestToken"}]
    [(table, wanted)] = request["RequestItems"].items()
    return [{**request, "RequestItems": {table: {**wanted, "Keys": [key]}}} for key in wanted["Keys"]]


def _together(replies: list[Reply]) -> Reply:
    """One reply of a batch's parts."""
    responses: dict[str, list[Any]] = {}
    for reply in replies:
        for table, items in reply.body["Responses"].items():
            responses.setdefault(table, []).extend(items)
    return Reply(200, {"Responses": responses, "UnprocessedKeys": {}})


_PLAYER: Final = Player()
