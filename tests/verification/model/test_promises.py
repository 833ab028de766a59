"""What must hold whatever the oracle says is noticed if it does not."""

from typing import Any, Final

import pytest

from tests.verification.model.follower import Follower
from tests.verification.model.picture import InstanceRow, Picture, RunRow, TaskRow, WorkflowRow
from tests.verification.model.promises import broken_promises

NOW: Final = "2026-01-31 23:59:59"


def _workflow(status: str, holder: int | None) -> Picture:
    return {("workflow", 1): WorkflowRow(status, 0.0, holder, 0.0, None, None, None, None, None, None)}


def _runs(statuses: str) -> Picture:
    """Runs of the workflow, a letter each."""
    rows = (RunRow(status, 0.0, 1, None, None, 0.0, None) for status in statuses)
    return {("run", number): row for number, row in enumerate(rows, start=1)}


def _instance(status: str, run: int) -> Picture:
    row = InstanceRow(status, 0.0, None, run, 1, 1, 0, 1, ())
    return {("instance", 1001): row}


def _task(status: str, attempts: int = 1, changed: Any = None) -> Picture:
    return {("task", 1): TaskRow(status, attempts, 3, attempts, changed, 1, 1, "t", "true", 1)}


STOOD: Final = {**_workflow("R", 1), **_runs("R")}
BROKEN: Final[dict[str, tuple[Picture, Picture, str]]] = {
    "two runs": (
        STOOD,
        {**_workflow("R", 1), **_runs("RL")},
        "workflow 1 is held by 1; its runs that go on are [1, 2]",
    ),
    "not let go": (STOOD, {**_workflow("F", 1), **_runs("E")}, "workflow 1 is held by 1; its runs that go on are []"),
    "let go too soon": (
        STOOD,
        {**_workflow("F", None), **_runs("R")},
        "workflow 1 is held by None; its runs that go on are [1]",
    ),
    "stayed behind": (STOOD, {**_workflow("Q", 1), **_runs("R")}, "workflow 1 is Q, and its run is R"),
    "runs alone": (STOOD, {**_workflow("R", None), **_runs("E")}, "workflow 1 is R, and its run is none"),
    "a run goes on after its end": (
        {**_workflow("F", None), **_runs("E")},
        {**_workflow("R", 1), **_runs("R")},
        "('run', 1) was E and is R",
    ),
    "a done task": (_task("D"), _task("G"), "('task', 1) was D and is G"),
    "an instance that has ended": (_instance("E", 9), _instance("R", 9), "('instance', 1001) was E and is R"),
    "an attempt after the end": (
        {**_workflow("F", None), **_runs("E")},
        {**_workflow("F", None), **_runs("E"), **_instance("Q", 1)},
        "('instance', 1001) is an attempt of a run that is E",
    ),
    "an instance that is taken after the end": (
        {**_workflow("F", None), **_runs("E"), **_instance("Q", 1)},
        {**_workflow("F", None), **_runs("E"), **_instance("I", 1)},
        "('instance', 1001) was taken, though its run is E",
    ),
    "an instance that may start after the stop": (
        {**_workflow("R", 1), **_runs("C"), **_instance("I", 1)},
        {**_workflow("H", None), **_runs("T"), **_instance("I", 1)},
        "('instance', 1001) is I, though its run has stopped",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_told(name: str) -> None:
    before, after, told = BROKEN[name]
    assert broken_promises(before, before, {}) == []
    assert broken_promises(before, after, {}) == [told]


def test_a_client_that_was_not_told_has_missed_it() -> None:
    follower = Follower(1)
    follower.learn({"time": NOW, "tasks_by_status": {"R": [1]}})
    assert follower.missed(_task("D")) == ["task 1 of workflow 1 is D; its client was told R"]
    follower.learn({"time": NOW, "tasks_by_status": {"D": [1]}})
    assert follower.missed(_task("D")) == []


@pytest.mark.parametrize(("stands", "missed"), [(_task("G"), 1), (_task("G", attempts=0), 0), (_task("R"), 0)])
def test_a_client_is_told_of_a_failure_and_not_of_what_it_asked_for(stands: Picture, missed: int) -> None:
    assert len(Follower(1).missed(stands)) == missed
