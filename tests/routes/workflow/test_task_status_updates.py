"""A run's client polls for what became of its tasks."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from functions.workflow.task_status_updates.app import ProgressReply
from local.seed import Seed, load
from lockstep import clock
from lockstep.access.scopes import Scope
from lockstep.clock import BULK_BUDGET_SECONDS, CALL_SECONDS, naive
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import TaskStatus
from lockstep.routes import ROUTES, Route
from lockstep.workflow import progress
from lockstep.workflow.progress import MARGIN_SECONDS
from tests.conformance.recording import Player
from tests.support.contract import Contract, System, Usage, check
from tests.support.memory import VirtualTime, running_on
from tests.support.memory.boundary import Memory, answered_by
from tests.support.memory.operations import Reply, refusal

CONTRACT = Contract(
    name="task_status_updates",
    scope=Scope.OPERATOR,
    usage=Usage(2, 0, 1),
    reads=(
        "up to 16 shards of the change feed; without a time, the status of each of up to 50,000 tasks (100 bytes each)"
    ),
    largest=ProgressReply(tasks_by_status={TaskStatus.DONE: [MAX_ID] * progress.MOST_TOLD}, time=clock.naive(0)),
    body={"last_sync": "2026-01-31 23:59:59"},
    optional=frozenset({"last_sync"}),
    nullable=frozenset({"last_sync"}),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)


WORKFLOW: Final = 7
POLLS: Final = 20
THROTTLED: Final = 5
"""Tries that take a second each, so that the next one still begins in time."""


class Slow:
    """A workflow in a table that may throttle transactions, and then takes as long for one as a call may."""

    def __init__(self) -> None:
        self.clock = VirtualTime()
        self.memory = Memory()
        self.throttled = 0
        self.seconds = 0.0
        """That a query takes."""
        self.player = Player()
        self.landed = 0.0
        """When the last transaction was carried out."""

    def answer(self, operation: str, request: dict[str, Any]) -> Reply:
        if operation == "Query":
            self.clock.sleep(self.seconds)
        if operation != "TransactWriteItems":
            return self.memory.answer(operation, request)
        if self.throttled:
            self.throttled -= 1
            self.clock.sleep(1.0)
            return refusal("ThrottlingException")
        self.clock.sleep(CALL_SECONDS)
        self.landed = self.clock.time()
        return self.memory.answer(operation, request)

    def ask(self, path: str, **body: Any) -> Any:
        """What a POST is answered that succeeds."""
        status, reply = self.player.send("POST", f"/api/v3/{path}", json.dumps(body))
        assert status == 200, reply
        return reply

    def poll(self, **since: str) -> Any:
        """What the client is told."""
        return self.ask(f"workflow/{WORKFLOW}/task_status_updates", **since)


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    with running_on(made.clock), answered_by(made.answer):
        yield made


def fill(*statuses: str) -> None:
    """Tasks 1, 2, … of the workflow, each with an attempt that runs, if it does."""
    tasks = [
        {
            "task_id": number,
            "status": status,
            "num_attempts": 1,
            "max_attempts": 3,
            "workflow_id": WORKFLOW,
            "array_id": WORKFLOW,
            "name": "t",
            "command": "true",
            "task_resources_id": 1,
        }
        for number, status in enumerate(statuses, start=1)
    ]
    instances = [
        {
            "task_instance_id": number * 1000 + 1,
            "status": "R",
            "workflow_run_id": 9,
            "array_id": WORKFLOW,
            "array_batch_num": 1,
            "array_step_id": number - 1,
            "task_resources_id": 1,
        }
        for number, status in enumerate(statuses, start=1)
        if status == "R"
    ]
    array = {
        "array_id": WORKFLOW,
        "name": "a",
        "workflow_id": WORKFLOW,
        "task_template_version_id": 1,
        "max_concurrently_running": 9,
    }
    workflow = {"workflow_id": WORKFLOW}
    load(Seed.model_validate({"workflows": [workflow], "arrays": [array], "tasks": tasks, "task_instances": instances}))


def test_a_poll_tells_of_a_write_that_landed_late(slow: Slow) -> None:
    """The poll before it may have been answered just before the write was carried out."""
    fill("R")
    slow.clock.sleep(60)
    began = slow.clock.time()
    slow.throttled = THROTTLED
    slow.ask("task_instance/1001/log_done", nodename="n")
    assert slow.landed - began >= THROTTLED + CALL_SECONDS, "it is late"
    last_sync = naive(slow.landed)
    slow.clock.sleep(60)
    assert slow.poll(last_sync=last_sync)["tasks_by_status"] == {"D": [1]}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_no_write_lands_later_than_a_poll_looks_back(route: Route) -> None:
    assert route.budget + CALL_SECONDS < MARGIN_SECONDS


def finish(slow: Slow, tasks: range) -> None:
    """All tasks that run are done, one after the other."""
    fill(*"R" * len(tasks), "Q")
    for task in tasks:
        slow.ask(f"task_instance/{task}001/log_done", nodename="n")
    slow.clock.sleep(60)


def told_by_polls(slow: Slow) -> list[list[int]]:
    """The tasks that each poll tells, from a full one on to the first that tells nothing."""
    reply = slow.poll()
    told = [reply["tasks_by_status"]["D"]]
    while told[-1] and len(told) < POLLS:
        reply = slow.poll(last_sync=reply["time"])
        told.append(reply["tasks_by_status"].get("D", []))
    return told


def test_a_full_poll_of_many_tasks_tells_those_that_its_client_acts_on(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(slow, range(1, 4))
    assert slow.poll()["tasks_by_status"] == {"D": [1, 2, 3], "Q": [4]}
    monkeypatch.setattr(progress, "MOST_IN_FULL", 3)
    assert slow.poll()["tasks_by_status"] == {"D": [1, 2, 3]}


def test_polls_tell_of_more_changes_than_a_reply_holds_in_parts(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MOST_IN_FULL": 0, "MOST_TOLD": 4, "CHANGES_AT_ONCE": 1}.items():
        monkeypatch.setattr(progress, name, value)
    finish(slow, range(1, 11))
    told = told_by_polls(slow)
    assert {task for some in told for task in some} == set(range(1, 11))
    assert 1 < len(told) < POLLS
    assert max(map(len, told)) == 4


def test_polls_tell_of_more_changes_than_can_be_read_in_time_in_parts(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"MOST_IN_FULL": 0, "CHANGES_AT_ONCE": 4}.items():
        monkeypatch.setattr(progress, name, value)
    finish(slow, range(1, 11))
    slow.seconds = BULK_BUDGET_SECONDS - 1
    told = told_by_polls(slow)
    assert {task for some in told for task in some} == set(range(1, 11))
    assert 1 < len(told) < POLLS


def test_changes_of_one_moment_that_one_reply_does_not_hold_are_refused(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To tell a part would tell that part for ever."""
    for name, value in {"MOST_TOLD": 4, "CHANGES_AT_ONCE": 1}.items():
        monkeypatch.setattr(progress, name, value)
    fill(*"D" * 10)
    since = naive(slow.clock.time() + MARGIN_SECONDS)
    slow.clock.sleep(60)
    path = f"/api/v3/workflow/{WORKFLOW}/task_status_updates"
    status, _ = slow.player.send("POST", path, json.dumps({"last_sync": since}))
    assert status == 503
