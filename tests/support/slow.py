"""A table in memory that takes its time, in virtual time: what a call cannot do all of, it does in parts."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final, Self

from lockstep.clock import BULK_BUDGET_SECONDS
from tests.conformance.recording import Player
from tests.support.memory import VirtualTime
from tests.support.memory.boundary import Memory
from tests.support.memory.operations import Reply
from tests.support.seeding import plant

TRIES: Final = 10
"""Of Jobmon's client."""
LUCK: Final = 100
"""Calls that begin at a random one of 8 parts leave one out with a chance of 1 in 80,000."""
STEPS: Final = 400
ARRAY: Final = 7
RUN: Final = 9
SMALL: Final = {
    "lockstep.array.portions.STEPS_PER_PORTION": 50,
    "lockstep.array.portions.STEPS_PER_GROUP": 50,
    "lockstep.workflow.cursor.GROUP": 50,
    "lockstep.workflow.left.KEYS_PER_READ": 20,
    "lockstep.workflow.left.READ_AT_ONCE": 50,
    "lockstep.workflow_run.instantiate.TAKEN_AT_ONCE": 50,
    "lockstep.workflow_run.sweep._SETTLED_AT_ONCE": 50,
    "lockstep.workflow_run.poll._READ_AT_ONCE": 50,
    "lockstep.workflow_run.poll.MOST_READ": 200,
    "lockstep.task_instance.bulk.WRITTEN_UNREAD": 100,
    "lockstep.dynamodb.puts.PUT_UNREAD": 100,
}
"""So that hundreds are as many as hundreds of thousands."""


class InTurn:
    """Stands in for a pool of threads: one piece after another."""

    def __init__(self, _: int) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, work: Callable[..., Any], *pieces: Iterable[Any]) -> list[Any]:
        """Work on each."""
        return [work(*each) for each in zip(*pieces, strict=True)]


class Slow:
    """A table of which every request takes time, and what it was asked."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.clock = VirtualTime()
        self.seconds = 0.0
        self.budget = BULK_BUDGET_SECONDS
        self.asked: Counter[str] = Counter()
        self.player = Player()

    def answer(self, operation: str, request: dict[str, Any]) -> Reply:
        """Carry a request out."""
        self.clock.sleep(self.seconds)
        self.asked[operation] += 1
        return self.memory.answer(operation, request)

    def call(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        """Call a route, and hold it to its time."""
        began = self.clock.passed
        answered = self.player.send(method, f"/api/v3{path}", None if body is None else json.dumps(body), **query)
        assert self.clock.passed - began <= self.budget + 1
        return answered

    def get(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """The reply to a call that succeeds."""
        status, reply = self.call(method, path, body, **query)
        assert status == 200, reply
        return reply

    def finish(
        self, method: str, path: str, body: Any = None, *, done: Callable[[], Any] | None = None, **query: str
    ) -> tuple[int, Any]:
        """Send a call until it is answered with 200: how often, and the last reply. As in_parts, with `done`."""
        replies: list[Any] = []

        def ends() -> bool:
            code, reply = self.call(method, path, body, **query)
            replies.append(reply)
            assert code in {200, 503}, reply
            return code == 200

        return in_parts(ends, done), replies[-1]

    def statuses(self) -> str:
        """The status of each instance, in order."""
        return self._statuses("TI#001")

    def tasks(self) -> str:
        """The status of each task, in order."""
        return self._statuses("TASK")

    def _statuses(self, sort_key: str) -> str:
        found = {
            int(pk.removeprefix("TASK#")): item["status"]["S"]
            for (pk, sk), item in self.memory.items.items()
            if sk == sort_key
        }
        return "".join(found[number] for number in sorted(found))


def in_parts(call: Callable[[], bool], done: Callable[[], Any] | None = None, most: int = TRIES) -> int:
    """Call until it says that all is done: how often. Each call but the last does a part: there is more of `done`."""
    for tries in range(1, most + 1):
        before = done() if done else None
        if call():
            return tries
        assert done is None or done() > before, "each call does a part"
    raise AssertionError("it does not end")


def fill(slow: Slow, status: str, task_status: str, *, own_sets: bool = False, **instance: Any) -> list[int]:
    """One batch of STEPS instances; every further request takes a second."""
    numbers = range(1, STEPS + 1)
    ids = [number * 1000 + 1 for number in numbers]
    tasks = [
        {"task_id": number, "status": task_status, "task_resources_id": number if own_sets else 1} for number in numbers
    ]
    rows = [{"task_instance_id": number, "status": status, "workflow_run_id": RUN, **instance} for number in ids]
    plant(ARRAY, tasks, rows if status else (), workflows=[{"workflow_id": ARRAY}])
    slow.seconds = 1.0
    return ids
