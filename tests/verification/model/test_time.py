"""Time is UTC, whatever the machine's zone; and machines whose clocks differ."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lockstep.http.fields import MAX_INCREMENT_SECONDS
from tests.verification.model.system import System, system

BEFORE_THE_HOUR_COMES_TWICE = datetime(2023, 11, 5, 5, 30, tzinfo=UTC)
"""In New York it is 1:30, and in an hour it is 1:30 again."""
NUMBER = 1001
ONE, OTHER = ({"process_group_id": 1, "nodename": name} for name in ("n1", "n2"))


@pytest.fixture(params=["America/New_York", "Europe/Berlin", "Pacific/Kiritimati", "UTC"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def api() -> Iterator[System]:
    """With one instance that is LAUNCHED."""
    with system() as made:
        made.clock.start = BEFORE_THE_HOUR_COMES_TWICE.timestamp()
        array = {"workflow_id": 1, "task_template_version_id": 1, "max_concurrently_running": 9, "name": "a"}
        made.send("create_array", **array)
        rows = {"t": [1, 1, 1, 1, "t", "true", 3, False, {}, []]}
        made.send("bind_tasks_no_args", workflow_id=1, tasks=rows)
        made.send("queue_task_batch", 1, task_ids=[1], task_resources_id=1, workflow_run_id=1)
        made.send("instantiate_task_instances", task_instance_ids=[NUMBER])
        made.send("transition_to_launched", 1, batch_number=1, next_report_increment=60)
        yield made


def _instance(api: System) -> dict[str, Any]:
    instance: dict[str, Any] = api.send("get_task_instance", NUMBER)[1]["task_instance"]
    return instance


def _start(api: System, worker: dict[str, Any], increment: float = 60) -> str:
    code, reply = api.send("log_running", NUMBER, next_report_increment=increment, **worker)
    assert code == 200
    return str(reply["task_instance"][1])


@pytest.mark.usefixtures("zone")
def test_what_is_told_is_utc_also_in_the_hour_that_comes_twice(api: System) -> None:
    assert _start(api, ONE, 3600) == "R"
    for passed in (0, 3600):
        api.clock.passed = passed
        at = BEFORE_THE_HOUR_COMES_TWICE + timedelta(seconds=passed)
        told = {"error_state": "U", "error_message": str(passed)}
        code, reply = api.send("log_unknown_error", NUMBER, **told)
        assert (code, "not overdue" in reply["message"]) == (200, True)
        _, polled = api.send("sync_status", 1, task_instance_ids=[], status="Q")
        assert polled["time"] == at.strftime("%Y-%m-%d %H:%M:%S")
    api.clock.passed = 3601
    assert api.send("log_unknown_error", NUMBER, error_state="U", error_message="silent") == (200, {"message": ""})
    ended = BEFORE_THE_HOUR_COMES_TWICE + timedelta(seconds=3601)
    instance = _instance(api)
    assert (instance["status"], instance["status_date"]) == ("U", ended.isoformat())
    assert instance["report_by_date"] == (ended - timedelta(seconds=1)).isoformat()
    _, log = api.send("task_instance_error_log", NUMBER)
    assert [row[1:] for row in log["task_instance_error_log"]] == [[ended.strftime("%Y-%m-%d %H:%M:%S"), "silent"]]


@pytest.mark.parametrize("increment", [MAX_INCREMENT_SECONDS, -MAX_INCREMENT_SECONDS])
def test_a_report_by_as_far_away_as_may_be(api: System, increment: float) -> None:
    assert _start(api, ONE, increment) == "R"
    due = BEFORE_THE_HOUR_COMES_TWICE + timedelta(seconds=increment)
    assert _instance(api)["report_by_date"] == due.isoformat()
    api.clock.sleep(10 * 365 * 86_400)
    assert api.send("set_status_for_triaging", 1) == (200, {})
    assert _instance(api)["status"] == ("R" if increment > 0 else "T")


@pytest.mark.parametrize(("skew", "told"), [(-300, "K"), (0, "K"), (59, "K"), (60, "K"), (61, "R"), (300, "R")])
def test_a_second_worker_is_told_to_run_only_past_report_by_on_the_clock_that_serves_it(
    api: System, skew: float, told: str
) -> None:
    assert _start(api, ONE) == "R"
    api.clock.skew = skew
    assert _start(api, OTHER) == told
    assert _instance(api)["nodename"] == ("n2" if told == "R" else "n1")


def test_a_clock_that_lags_finds_what_is_late_later_and_no_clock_undoes_an_end(api: System) -> None:
    assert _start(api, ONE) == "R"
    api.clock.sleep(61)
    api.clock.skew = -300
    assert api.send("set_status_for_triaging", 1) == (200, {})
    assert _instance(api)["status"] == "R", "by that clock it is not late"
    assert api.send("log_done", NUMBER) == (200, {"status": "D"})
    api.clock.skew = 300
    assert api.send("set_status_for_triaging", 1) == (200, {})
    assert api.send("log_unknown_error", NUMBER, error_state="U", error_message="late")[0] == 200
    assert _start(api, OTHER) == "D"
    assert _instance(api)["status"] == "D"
