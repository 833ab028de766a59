"""Every report that names a job or a node: one that names another than runs is answered, counted, and changes nothing.

Nor does anything that is said of an attempt that has ended. Decision 34 says who hears what. The reports are those of
routes.py whose body names a job or a node.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from lockstep import observability
from lockstep.routes import ROUTES, Route
from sim import requests
from tests.conformance.recording import Player
from tests.support.attempt import ANOTHER_JOB, NAMES, Attempt
from tests.support.contract import models
from tests.support.every import is_listed
from tests.support.lines import Lines
from tests.support.linking import ask
from tests.support.memory.boundary import Memory, in_memory
from tests.support.memory.virtual_time import VirtualTime, running_on
from tests.support.seeding import batch, run_of

WHO: Final = frozenset({"distributor_id", "nodename"})
OF_ANOTHER: Final = {name: ANOTHER_JOB[name] for name in WHO}
SOON: Final = {"next_report_increment": 90}
TRIAGE: Final = {"error_state": "Z", "error_message": "out of memory", **OF_ANOTHER}
PRINTED: Final = {"stdout": "/of/78", "stderr": "/of/78"}
LOGS: Final = {**PRINTED, "stdout_log": "lost", "stderr_log": "lost"}
SWEPT: Final[dict[str, dict[str, Any]]] = {
    "log_running": {**ANOTHER_JOB, **SOON},
    "log_report_by": {"distributor_id": "78", "next_report_increment": 9_000, **PRINTED},
    "log_done": {**OF_ANOTHER, **LOGS},
    "log_error_worker_node": {**OF_ANOTHER, **LOGS, "error_state": "E", "error_description": "boom"},
    "log_known_error": TRIAGE,
    "log_unknown_error": TRIAGE,
    "log_distributor_id": {"distributor_id": "78", "next_report_increment": 9_000},
}
RENAMES: Final = {"log_distributor_id"}
"""A distributor may call a job otherwise than its worker node does, until it has ended: it knows what it submitted."""
NOT_SWEPT: Final = {
    "array_log_distributor_id": "it names the jobs of many: test_each_of_many_has_its_own_outcome",
    "log_no_distributor_id": "it says that there is no job",
}
OVERDUE: Final = {"log_unknown_error"}
"""The reports that are heard only of an instance whose report is late."""
ARRAY, RUN = "/array/{task}/", "/workflow_run/{task}/"
OF_MANY: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "ids of many": ("POST", f"{ARRAY}log_distributor_id", {"{instance}": "78"}),
    "heartbeats of many": ("POST", "/task_instance/log_report_by/batch", {"task_instance_ids": [0], **SOON}),
    "taking": ("POST", "/task_instance/instantiate_task_instances", {"task_instance_ids": [0]}),
    "a batch that is launched": ("POST", f"{ARRAY}transition_to_launched", {"batch_number": 1, **SOON}),
    "a batch that is killed": ("POST", f"{ARRAY}transition_to_killed", {"batch_number": 1}),
    "a sweep": ("POST", f"{RUN}set_status_for_triaging", {}),
    "a poll": ("POST", f"{RUN}sync_status", {"task_instance_ids": [0], "status": "R"}),
    "a resume": ("PUT", f"{RUN}terminate_task_instances", {}),
}
"""Calls about many, which name no job, or that of each."""
ENDS: Final = "DEZUF"


def names_a_job(row: Route) -> bool:
    body = models(row).get("body")
    return body is not None and bool(NAMES & body.model_fields.keys() or "distributor_id" in row.path)


def test_every_report_that_names_a_job_is_swept_or_it_is_said_why_not() -> None:
    reports = {row.name for row in ROUTES if names_a_job(row)}
    is_listed(reports, SWEPT.keys() | NOT_SWEPT.keys(), "it names a job; add it to SWEPT, or say in NOT_SWEPT why not")


class Ended(Attempt):
    """An attempt that runs as job 77, and ends."""

    def end(self, status: str) -> None:
        if status == "D":
            self.finish()
        elif status == "F":
            self.clock.sleep(280)
            self.sweep()
            self._send("log_known_error", error_state="F", error_message="cannot be repeated", **self._of_worker({}))
        else:
            self.fail(status)
        assert self.stands()[0] == status

    def hear(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """Send a call whose path and body name the instance, its task, its array or its run."""
        numbers = {"instance": self._id, "task": self._id // 1000}
        named = {name.format(**numbers): [self._id] if value == [0] else value for name, value in body.items()}
        code, reply = self._player.send(method, f"/api/v3{path}".format(**numbers), json.dumps(named))
        assert code == 200, reply
        return reply


@pytest.fixture
def memory() -> Iterator[Memory]:
    with in_memory() as made:
        yield made


@pytest.fixture
def attempt(memory: Memory) -> Iterator[Ended]:
    """An attempt that job 77 has claimed."""
    assert not memory.items
    made = Ended()
    with running_on(made.clock):
        made.launch()
        assert made.claim() == "R"
        made.clock.sleep(5)
        yield made


def _without_refusals(memory: Memory) -> Any:
    return {
        key: {name: value for name, value in item.items() if name != "refusals"} for key, item in memory.items.items()
    }


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """The log with its metrics."""
    monkeypatch.setattr(observability, "NAMESPACE", "Lockstep")
    return Lines(monkeypatch)


def _refused(lines: Lines) -> list[str]:
    return [name for line in lines.taken() for name in line if name.startswith("Refused.")]


@pytest.mark.parametrize("route", sorted(SWEPT.keys() - RENAMES))
def test_a_report_of_another_job_changes_nothing_while_one_runs(
    attempt: Ended, memory: Memory, route: str, lines: Lines
) -> None:
    attempt.clock.sleep(300 if route in OVERDUE else 0)
    before = _without_refusals(memory)
    lines.taken()
    assert attempt.send(route, **SWEPT[route])[0] == 200
    assert _without_refusals(memory) == before
    assert _refused(lines) in [["Refused.FENCED"], ["Refused.OTHER_JOB"]]
    assert attempt.contested() == (0, 1)


@pytest.mark.parametrize("status", ENDS)
@pytest.mark.parametrize("route", SWEPT)
def test_a_report_of_another_job_changes_nothing_after_the_end(
    attempt: Ended, memory: Memory, route: str, lines: Lines, status: str
) -> None:
    attempt.end(status)
    before = _without_refusals(memory)
    attempt.clock.sleep(10_000)
    lines.taken()
    assert attempt.send(route, **SWEPT[route])[0] == 200
    assert _without_refusals(memory) == before
    assert len(_refused(lines)) == 1
    assert attempt.contested() == (0, 1)


@pytest.mark.parametrize("status", ENDS)
@pytest.mark.parametrize("call", OF_MANY)
def test_a_call_about_many_keeps_what_is_recorded_of_an_end(attempt: Ended, call: str, status: str) -> None:
    attempt.end(status)
    before = attempt.whole()
    attempt.clock.sleep(10_000)
    attempt.hear(*OF_MANY[call])
    assert attempt.whole() == before


@pytest.mark.parametrize("status", ENDS)
def test_a_failed_submission_adds_its_words_alone(attempt: Ended, status: str) -> None:
    """The report names no job. Jobmon keeps its words too."""
    attempt.end(status)
    before = attempt.whole()
    attempt.send("log_no_distributor_id", no_id_err_msg="none came")
    after = attempt.whole()
    assert after.pop("errors") == [*before.pop("errors"), "none came"]
    assert after == before


def test_the_last_words_of_its_own_worker_are_added(attempt: Ended) -> None:
    """The end stands; the output and the words of a failure that come late are of the attempt itself."""
    attempt.end("U")
    attempt.send("log_done", distributor_id="77", nodename="n1", stdout="/of/77")
    instance = attempt.whole()["task_instance"]
    assert (instance["status"], instance["stdout"]) == ("U", "/of/77")


@pytest.mark.parametrize("route", ["log_distributor_id", f"{ARRAY}log_distributor_id"])
@pytest.mark.parametrize("job", ["77", "array 7, index 7"])
def test_the_id_that_was_said_before_is_stored_again(attempt: Ended, route: str, job: str) -> None:
    attempt.relaunch("array 7, index 7")
    attempt.end("D")
    if route == "log_distributor_id":
        attempt.relaunch(job)
    else:
        attempt.hear("POST", route, {"{instance}": job})
    assert attempt.whole()["task_instance"]["distributor_id"] == job
    assert attempt.contested() == (0, 0)


def test_each_of_many_has_its_own_outcome(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Lines(monkeypatch)
    with in_memory(), running_on(VirtualTime()):
        ids = launched, running, ended, said_again, named_late, _ = batch(*({"status": "O"} for _ in range(6)))
        first = {number: f"7_{number}" for number in (launched, running, ended, said_again)}
        assert ask(player, requests.log_distributor_ids(run_of(launched), first)) == {"success": True}
        for number in (running, ended, said_again, named_late):
            ask(player, requests.log_running(number, "n1", 1, 90))
        for number in (ended, said_again, named_late):
            ask(player, requests.log_done(number, "n1"))
        lines.taken()
        again = {number: f"8_{number}" for number in ids} | {said_again: f"7_{said_again}"}
        assert ask(player, requests.log_distributor_ids(run_of(launched), again)) == {"success": True}
        stored = {number: player.whole(number)["task_instance"]["distributor_id"] for number in ids}
        refusals = [
            player.send("GET", f"/api/v3/tasks/{number // 1000}")[1]["attempts"][0]["refusals"] for number in ids
        ]
    [line, *_] = lines.taken()
    expected = {number: f"8_{number}" for number in ids}
    assert stored == expected | {number: f"7_{number}" for number in (ended, said_again)}
    assert refusals == [0, 0, 1, 0, 0, 0]
    assert line["refusal"] == {"kind": "OTHER_JOB", "reason": "it runs as another job"}
