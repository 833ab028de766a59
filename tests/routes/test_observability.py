"""What an operator gets to see of a request: its line in the log, and the metrics in it."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from local.template import ROOT
from lockstep import clock, observability
from tests.conformance.recording import Player
from tests.support.answers import CONFLICT, answering, error, listening
from tests.support.seeding import pair, running
from tests.support.workflows import run_with
from tests.system.test_invoke import ENDPOINT, invoke

Line = dict[str, Any]
Sums = dict[str, float]


def metrics(line: Line) -> Sums:
    """The sum of each metric in a line."""
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Lockstep", [["service"]])
    assert line["service"] == "lockstep"
    return {metric["Name"]: sum(line[metric["Name"]]) for metric in directive["Metrics"]}


DONE = "Moved.RUNNING.DONE"
FAILED = "Moved.RUNNING.ERROR"
"""A write that lands does not say on which of them."""
FINISHED = {DONE: 1, "Tries": 1}


class Seen:
    """Metrics where the log is silent: they are written whatever its level."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def metrics(self) -> Sums:
        """Of the requests since the last look, those that had any."""
        lines = self._capture.readouterr().out.splitlines()
        sums: Sums = {}
        for line in lines:
            for name, number in metrics(json.loads(line)).items():
                sums[name] = sums.get(name, 0) + number
        return sums


@pytest.fixture
def seen(table: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Seen:
    assert table
    monkeypatch.setattr(observability, "NAMESPACE", "Lockstep")
    return Seen(capsys)


def post(player: Player, instance: int, report: str, **body: Any) -> int:
    return player.send("POST", f"/api/v3/task_instance/{instance}/{report}", json.dumps(body))[0]


def test_a_move_is_counted_with_where_from_and_where_to(seen: Seen, player: Player) -> None:
    post(player, running(), "log_done")
    assert seen.metrics() == FINISHED


def test_a_failure_is_counted_with_its_error_entry(seen: Seen, player: Player) -> None:
    post(player, running(), "log_error_worker_node", error_state="E", error_description="boom")
    assert seen.metrics() == {FAILED: 1, "Tries": 1, "ErrorEntries": 1}


def test_a_refusal_is_counted_by_its_kind(seen: Seen, player: Player) -> None:
    untimely, invalid = pair("U", "G"), pair("D", "D")
    post(player, untimely, "log_done")
    assert seen.metrics() == {"Refused.UNTIMELY": 1, "Tries": 1}
    post(player, invalid, "log_error_worker_node", error_state="E", error_description="boom")
    assert seen.metrics() == {"Refused.INVALID": 1, "Tries": 2, "ErrorEntries": 1}


def test_a_fenced_worker_is_counted(seen: Seen, player: Player) -> None:
    instance = running(report_by_in=100, nodename="a", process_group_id=1)
    post(player, instance, "log_running", process_group_id=2, next_report_increment=90, nodename="b")
    assert seen.metrics() == {"Refused.FENCED": 1, "Tries": 1}


def test_a_wrong_bet_is_no_lost_race(seen: Seen, player: Player) -> None:
    post(player, exhausted(), "log_error_worker_node", error_state="E", error_description="boom")
    assert seen.metrics() == {FAILED: 1, "Tries": 2, "ErrorEntries": 1}


def test_a_lost_race_is_counted(seen: Seen, player: Player) -> None:
    """Between the second look and the second write another report comes through."""
    instance, calls = exhausted(), count(1)

    def finish_first(**_: Any) -> None:
        if next(calls) == 2:
            assert post(player, instance, "log_done") == 200

    with listening("before-call.dynamodb.TransactWriteItems", finish_first):
        post(player, instance, "log_error_worker_node", error_state="E", error_description="boom")
    counted = seen.metrics()
    assert counted.items() >= {"LostRaces": 1, DONE: 1, "Refused.INVALID": 1}.items()


def exhausted() -> int:
    """An instance that runs, and is its task's last attempt: not what a report of a failure bets on."""
    return running(task={"num_attempts": 3, "max_attempts": 3})


def test_a_heartbeat_says_how_late_it_came(seen: Seen, player: Player) -> None:
    post(player, running(report_by_in=100), "log_report_by", next_report_increment=300)
    assert seen.metrics() == {"HeartbeatLag": 0}
    post(player, running(report_by_in=-100), "log_report_by", next_report_increment=300)
    assert 99 < seen.metrics()["HeartbeatLag"] < 110


def test_one_that_was_never_due_is_not_late(seen: Seen, player: Player) -> None:
    post(player, running(report_by_in=None), "log_report_by", next_report_increment=300)
    assert seen.metrics() == {}


def test_a_sweep_and_a_resume_count_what_they_move(seen: Seen, player: Player) -> None:
    run, _ = run_with(player, "RR" + "QIO", report_by_in=-1)
    run.sweep()
    assert seen.metrics()["Moved.RUNNING.TRIAGING"] == 2
    run.terminate()
    counted = seen.metrics()
    assert (counted["Moved.LAUNCHED.KILL_SELF"], counted["ErrorEntries"]) == (1, 3)


def test_many_batches_are_counted_together(seen: Seen, player: Player) -> None:
    ids = [pair("Q", "Q") for _ in range(120)]
    body = json.dumps({"task_instance_ids": ids})
    assert player.send("POST", "/api/v3/task_instance/instantiate_task_instances", body)[0] == 200
    assert seen.metrics() == {"Moved.QUEUED.INSTANTIATED": 120, "Tries": 120}


@pytest.mark.parametrize(
    ("instance", "body", "kind"),
    [("9999999001", "{}", "NotFound"), ("abc", "{}", "Invalid"), ("9999999001", "{", "BadRequest")],
)
def test_what_is_refused_is_counted_by_its_kind(
    seen: Seen, player: Player, instance: str, body: str, kind: str
) -> None:
    player.send("POST", f"/api/v3/task_instance/{instance}/log_done", body)
    assert seen.metrics()[f"Failed.{kind}"] == 1


def test_a_defect_is_counted(seen: Seen, player: Player) -> None:
    with answering("TransactWriteItems", error("ValidationException")):
        assert post(player, running(), "log_done") == 500
    assert seen.metrics() == {"Failed.Defect": 1, "Tries": 1}


def test_contention_that_does_not_pass_is_counted(seen: Seen, player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = running()
    with answering("TransactWriteItems", CONFLICT, CONFLICT) as left:
        monkeypatch.setattr(clock.Deadline, "passed", lambda _: not left)
        assert post(player, instance, "log_done") == 503
    assert seen.metrics() == {"Failed.Contention": 1, "Tries": 1}


def event(tmp_path: Path, context: object, **more: Any) -> Path:
    """events/log_done.json from a caller who says this of himself, beside its seed."""
    (tmp_path / "seed.json").write_text((ROOT / "events/seed.json").read_text(encoding="utf-8"), encoding="utf-8")
    event = json.loads((ROOT / "events/log_done.json").read_text(encoding="utf-8")) | more
    event["headers"]["X-Server-Structlog-Context"] = json.dumps(context)
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event), encoding="utf-8")
    return file


def logged(endpoint: str, file: Path, **environment: str) -> list[Line]:
    """The lines that a function logs about an event, on a table of its own in this process's engine."""
    own = {ENDPOINT: endpoint, "TABLE_NAME": "observed"}
    done = invoke("--seed", file, POWERTOOLS_METRICS_NAMESPACE="Lockstep", **own, **environment)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]


def test_a_line_says_what_is_known_of_its_request(table: str, tmp_path: Path) -> None:
    authorizer = {"requestContext": {"authorizer": {"principalId": "ann"}}}
    [line] = logged(table, event(tmp_path, {"workflow_run_id": "6100", "tool": "x"}, **authorizer))
    known = {"task_instance_id": "7001001", "task_id": 7001, "workflow_run_id": "6100", "tool": "x", "caller": "ann"}
    assert line.items() >= known.items()
    assert line["request_id"]
    assert (line["status"], line["route"]) == (200, "/api/v3/task_instance/{task_instance_id}/log_done")
    assert metrics(line) == FINISHED


def test_what_a_caller_says_of_himself_takes_nothing_of_ours(table: str, tmp_path: Path) -> None:
    forged = {"CloudWatchMetrics": [{"Namespace": "Lockstep", "Dimensions": [[]], "Metrics": [{"Name": "x"}]}]}
    claims = {"_aws": forged, "task_id": 1, "task_instance_id": 2, "caller": "root", "request_id": "r", "self": "s"}
    [line] = logged(
        table, event(tmp_path, claims | {DONE: 1000, "Failed.Defect": 1, "service": "other", "level": "DEBUG"})
    )
    assert metrics(line) == FINISHED
    assert (line["task_id"], line["task_instance_id"], line["level"]) == (7001, "7001001", "INFO")
    assert (line[f"caller_{DONE}"], line["caller_Failed.Defect"], line[DONE]) == ("1000", "1", [1.0])
    assert (line["caller_caller"], line["caller_request_id"], line["caller_self"]) == ("root", "r", "s")


def test_metrics_are_written_whatever_the_log_level(table: str, tmp_path: Path) -> None:
    [line] = logged(table, event(tmp_path, {}), POWERTOOLS_LOG_LEVEL="ERROR")
    assert metrics(line) == FINISHED
    assert "message" not in line


def test_every_line_of_a_request_says_what_is_known_of_it(table: str, tmp_path: Path) -> None:
    """The cause of a 500 too, which is a line of its own."""
    file = event(tmp_path, {"workflow_run_id": "6100"}, body="x", isBase64Encoded=True)
    cause, line = logged(table, file)
    assert (cause["level"], line["status"]) == ("ERROR", 500)
    assert cause["exception_name"] == "Error"  # of binascii
    for each in (cause, line):
        assert (each["task_id"], each["workflow_run_id"], each["task_instance_id"]) == (7001, "6100", "7001001")
