"""A run's client polls for what became of its tasks."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from lockstep.clock import BULK_BUDGET_SECONDS, CALL_SECONDS, naive
from lockstep.routes import ROUTES, Route
from lockstep.workflow import progress
from lockstep.workflow.progress import MARGIN_SECONDS
from tests.support.memory import running_on
from tests.support.memory.boundary import answered_by
from tests.support.memory.operations import Reply, refusal
from tests.support.seeding import plant
from tests.support.slow import Slow

WORKFLOW: Final = 7
POLLS: Final = 20
THROTTLED: Final = 5
"""Tries that take a second each, so that the next one still begins in time."""


class Throttled(Slow):
    """A table that may throttle transactions, and then takes as long for one as a call may; and so for a query."""

    def __init__(self) -> None:
        super().__init__()
        self.throttled = 0
        self.landed = 0.0
        """When the last transaction was carried out."""

    def answer(self, operation: str, request: dict[str, Any]) -> Reply:
        """Carry a request out."""
        if operation == "Query":
            return super().answer(operation, request)
        if operation == "TransactWriteItems":
            if self.throttled:
                self.throttled -= 1
                self.clock.sleep(1.0)
                return refusal("ThrottlingException")
            self.clock.sleep(CALL_SECONDS)
            self.landed = self.clock.time()
        return self.memory.answer(operation, request)

    def poll(self, **since: str) -> Any:
        """What the client is told."""
        return self.get("POST", f"/workflow/{WORKFLOW}/task_status_updates", since)

    def finish_task(self, number: int) -> None:
        path = f"/api/v3/task_instance/{number}001/log_done"
        assert self.player.send("POST", path, "{}") == (200, {"status": "D"})


@pytest.fixture
def slow() -> Iterator[Throttled]:
    made = Throttled()
    with running_on(made.clock), answered_by(made.answer):
        yield made


def fill(*statuses: str) -> None:
    """Tasks 1, 2, … of the workflow, each with an attempt that runs, if it does."""
    stand = list(enumerate(statuses, start=1))
    tasks = [{"task_id": number, "status": status} for number, status in stand]
    runs = [
        {"task_instance_id": number * 1000 + 1, "status": "R", "array_step_id": number - 1}
        for number, status in stand
        if status == "R"
    ]
    plant(WORKFLOW, tasks, runs, workflows=[{"workflow_id": WORKFLOW}])


def test_a_poll_tells_of_a_write_that_landed_late(slow: Throttled) -> None:
    """The poll before it may have been answered just before the write was carried out."""
    fill("R")
    slow.clock.sleep(60)
    began = slow.clock.time()
    slow.throttled = THROTTLED
    slow.finish_task(1)
    assert slow.landed - began >= THROTTLED + CALL_SECONDS, "it is late"
    last_sync = naive(slow.landed)
    slow.clock.sleep(60)
    assert slow.poll(last_sync=last_sync)["tasks_by_status"] == {"D": [1]}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_no_write_lands_later_than_a_poll_looks_back(route: Route) -> None:
    assert route.budget + CALL_SECONDS < MARGIN_SECONDS


def finish(slow: Throttled, tasks: range) -> None:
    """All tasks that run are done, one after the other."""
    fill(*"R" * len(tasks), "Q")
    for task in tasks:
        slow.finish_task(task)
    slow.clock.sleep(60)


def told_by_polls(slow: Throttled) -> list[list[int]]:
    """The tasks that each poll tells, from a full one on to the first that tells nothing."""
    reply = slow.poll()
    told = [reply["tasks_by_status"]["D"]]
    while told[-1] and len(told) < POLLS:
        reply = slow.poll(last_sync=reply["time"])
        told.append(reply["tasks_by_status"].get("D", []))
    return told


def test_a_full_poll_of_many_tasks_tells_those_that_its_client_acts_on(
    slow: Throttled, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(slow, range(1, 4))
    assert slow.poll()["tasks_by_status"] == {"D": [1, 2, 3], "Q": [4]}
    monkeypatch.setattr(progress, "MOST_IN_FULL", 3)
    assert slow.poll()["tasks_by_status"] == {"D": [1, 2, 3]}


def test_polls_tell_of_more_changes_than_a_reply_holds_in_parts(
    slow: Throttled, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"MOST_IN_FULL": 0, "MOST_TOLD": 4, "CHANGES_AT_ONCE": 1}.items():
        monkeypatch.setattr(progress, name, value)
    finish(slow, range(1, 11))
    told = told_by_polls(slow)
    assert {task for some in told for task in some} == set(range(1, 11))
    assert 1 < len(told) < POLLS
    assert max(map(len, told)) == 4


def test_polls_tell_of_more_changes_than_can_be_read_in_time_in_parts(
    slow: Throttled, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"MOST_IN_FULL": 0, "CHANGES_AT_ONCE": 4}.items():
        monkeypatch.setattr(progress, name, value)
    finish(slow, range(1, 11))
    slow.seconds = BULK_BUDGET_SECONDS - 1
    told = told_by_polls(slow)
    assert {task for some in told for task in some} == set(range(1, 11))
    assert 1 < len(told) < POLLS


def test_changes_of_one_moment_that_one_reply_does_not_hold_are_refused(
    slow: Throttled, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To tell a part would tell that part for ever."""
    for name, value in {"MOST_TOLD": 4, "CHANGES_AT_ONCE": 1}.items():
        monkeypatch.setattr(progress, name, value)
    fill(*"D" * 10)
    since = naive(slow.clock.time() + MARGIN_SECONDS)
    slow.clock.sleep(60)
    assert slow.call("POST", f"/workflow/{WORKFLOW}/task_status_updates", {"last_sync": since})[0] == 503
