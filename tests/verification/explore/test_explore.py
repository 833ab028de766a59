"""Reports that meet: in every order of their calls, the outcome is that of some order of the reports."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import pytest
from hypothesis import given, settings

from lockstep.dynamodb.reads import fetch
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.statuses import WorkflowRunStatus as Run
from lockstep.task_instance import read
from tests.verification.explore.courses import Courses, courses
from tests.verification.explore.exploring import meet, pairs_of, workflow_pairs_of
from tests.verification.explore.meetings import MEETINGS, SKEW_SECONDS, Meeting
from tests.verification.explore.reports import REPORTS
from tests.verification.explore.runs import RunStart, Tasks
from tests.verification.explore.schedules import States
from tests.verification.explore.starts import STARTS, Start

TI, T = TaskInstanceStatus, TaskStatus

USUAL: Final = (
    Start(TI.QUEUED, T.QUEUED),
    Start(TI.INSTANTIATED, T.INSTANTIATING),
    Start(TI.LAUNCHED, T.LAUNCHED, overdue=True),
    Start(TI.RUNNING, T.RUNNING),
    Start(TI.TRIAGING, T.RUNNING, overdue=True),
    Start(TI.KILL_SELF, T.RUNNING, overdue=True),
)
"""Where things stand when nearly all reports come. `make explore` takes all starts."""
USUAL_RUNS: Final = (
    RunStart(Run.ERROR),
    RunStart(Run.ERROR, resume="C"),
    RunStart(Run.LINKING, late=True),
    RunStart(Run.RUNNING),
    RunStart(Run.HOT_RESUME, late=True, tasks=Tasks.RUNNING),
    RunStart(None, tasks=Tasks.NEW, bound=False),
)


@pytest.fixture(scope="module")
def known() -> Iterator[Courses]:
    """What one test finds out of the functions, the next one need not ask them again."""
    with courses() as known:
        yield known


@pytest.fixture(scope="module")
def states() -> States:
    return States()


@pytest.mark.parametrize("start", USUAL, ids=lambda start: start.name)
def test_every_pair_of_reports(known: Courses, states: States, start: Start) -> None:
    found = pairs_of(known, states, start)
    assert found.schedules > found.meetings
    assert not found.disagreements


@pytest.mark.parametrize("start", USUAL_RUNS, ids=lambda start: start.name)
def test_every_pair_of_requests_about_a_workflow(known: Courses, states: States, start: RunStart) -> None:
    found = workflow_pairs_of(known, states, start)
    assert found.schedules > found.meetings
    assert not found.disagreements


def test_clocks_that_differ(known: Courses, states: States) -> None:
    assert not pairs_of(known, states, USUAL[4], skew=SKEW_SECONDS).disagreements


def test_an_attempt_and_the_one_that_followed_it(known: Courses, states: States) -> None:
    start = Start(TI.KILL_SELF, T.RUNNING, overdue=True, later=TI.RUNNING)
    assert not pairs_of(known, states, start).disagreements


def test_reads_that_lag(known: Courses, states: States) -> None:
    assert not pairs_of(known, states, USUAL[4], lag=True).disagreements


@settings(max_examples=25, derandomize=True, deadline=None)
@given(meeting=MEETINGS)
def test_three_reports(known: Courses, states: States, meeting: Meeting) -> None:
    assert not meet(known, states.state(meeting.start.table()), *meeting.requests).disagreements


FOUND: Final = {
    "a reader sees instance and task of one moment": (USUAL[3], "log_done", "get_task_instance"),
    "a heartbeat and triage": (USUAL[4], "log_report_by", "log_unknown_error U"),
    "what has moved on is not taken": (USUAL[1]._replace(overdue=True), "log_running", "instantiate_task_instances"),
    "a late word of the distributor": (Start(TI.RUNNING, T.DONE), "log_distributor_id", "task_instance_error_log"),
}


@pytest.mark.parametrize(("start", "one", "other"), FOUND.values(), ids=FOUND)
def test_what_went_wrong_once(start: Start, one: str, other: str) -> None:
    with courses() as known:
        assert not meet(known, States().state(start.table()), REPORTS[one], REPORTS[other]).disagreements


def test_a_read_that_falls_between_two_writes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "fetch_at_once", partial(fetch, consistent=True))
    with courses() as known:
        met = meet(known, States().state(USUAL[3].table()), REPORTS["log_done"], REPORTS["get_task_instance"])
    assert met.disagreements


def test_every_pair_of_statuses_is_a_start() -> None:
    assert {(start.task_instance, start.task) for start in STARTS} == {(ti, task) for ti in TI for task in T}
