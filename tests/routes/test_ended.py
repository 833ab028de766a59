"""What each report that writes to an instance does to one that has ended (docs/decisions/0034)."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.conformance.recording import Player
from tests.routes.test_claims import ANOTHER_JOB, NAMES, Attempt
from tests.support.lines import Lines
from tests.support.memory.boundary import in_memory
from tests.support.memory.virtual_time import VirtualTime, running_on
from tests.support.seeding import batch, run_of

STRANGER: Final = {"nodename": "n2", "distributor_id": "78"}
PRINTED: Final = {"stdout": "/of/78", "stderr": "/of/78", "stdout_log": "lost", "stderr_log": "lost"}
SOON: Final = {"next_report_increment": 90}
BOOM: Final = {"error_state": "E", "error_description": "of another"}
TRIAGE: Final = {"error_state": "Z", "error_message": "of another"}
ITS, ARRAY, RUN = "/task_instance/{instance}/", "/array/{task}/", "/workflow_run/{task}/"
OF_OTHERS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "a claim": ("POST", f"{ITS}log_running", {**ANOTHER_JOB, **SOON}),
    "a heartbeat": ("POST", f"{ITS}log_report_by", {"distributor_id": "78", "stdout": "/of/78", **SOON}),
    "an end": ("POST", f"{ITS}log_done", {**STRANGER, **PRINTED}),
    "a failure": ("POST", f"{ITS}log_error_worker_node", {**STRANGER, **PRINTED, **BOOM}),
    "a launch": ("POST", f"{ITS}log_distributor_id", {"distributor_id": "78", **SOON}),
    "ids of many": ("POST", f"{ARRAY}log_distributor_id", {"{instance}": "78"}),
    "triage that found the cause": ("POST", f"{ITS}log_known_error", {**STRANGER, **TRIAGE}),
    "triage that found none": ("POST", f"{ITS}log_unknown_error", {**STRANGER, **TRIAGE}),
    "heartbeats of many": ("POST", "/task_instance/log_report_by/batch", {"task_instance_ids": [0], **SOON}),
    "taking": ("POST", "/task_instance/instantiate_task_instances", {"task_instance_ids": [0]}),
    "a batch that is launched": ("POST", f"{ARRAY}transition_to_launched", {"batch_number": 1, **SOON}),
    "a batch that is killed": ("POST", f"{ARRAY}transition_to_killed", {"batch_number": 1}),
    "a sweep": ("POST", f"{RUN}set_status_for_triaging", {}),
    "a poll": ("POST", f"{RUN}sync_status", {"task_instance_ids": [0], "status": "R"}),
    "a resume": ("PUT", f"{RUN}terminate_task_instances", {}),
}
"""Reports that name another job than the one that ended, and calls that name none."""
ENDS: Final = "DEZUF"


class Ended(Attempt):
    """An attempt that ran as job 77, and ended."""

    def end(self, status: str) -> None:
        self.claim()
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
def attempt() -> Iterator[Ended]:
    made = Ended()
    with in_memory(), running_on(made.clock):
        made.launch()
        yield made


@pytest.mark.parametrize("status", ENDS)
@pytest.mark.parametrize("call", OF_OTHERS)
def test_it_keeps_what_is_recorded(attempt: Ended, call: str, status: str) -> None:
    attempt.end(status)
    before = attempt.whole()
    attempt.clock.sleep(10_000)
    attempt.hear(*OF_OTHERS[call])
    assert attempt.whole() == before


@pytest.mark.parametrize("status", ENDS)
def test_a_failed_submission_adds_its_words_alone(attempt: Ended, status: str) -> None:
    """The report names no job. Jobmon keeps its words too."""
    attempt.end(status)
    before = attempt.whole()
    attempt.hear("POST", f"{ITS}log_no_distributor_id", {"no_id_err_msg": "none came"})
    after = attempt.whole()
    assert after.pop("errors") == [*before.pop("errors"), "none came"]
    assert after == before


def test_the_last_words_of_its_own_worker_are_added(attempt: Ended) -> None:
    """The end stands; the output and the words of a failure that come late are of the attempt itself."""
    attempt.end("U")
    attempt.hear("POST", f"{ITS}log_done", {**STRANGER, "distributor_id": "77", "nodename": "n1", "stdout": "/of/77"})
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
        path = f"/api/v3/array/{run_of(launched)}/log_distributor_id"
        first = {str(number): f"7_{number}" for number in (launched, running, ended, said_again)}
        assert player.send("POST", path, json.dumps(first)) == (200, {"success": True})
        for number in (running, ended, said_again, named_late):
            start = json.dumps(NAMES | SOON | {"distributor_id": None})
            assert player.send("POST", f"/api/v3/task_instance/{number}/log_running", start)[0] == 200
        for number in (ended, said_again, named_late):
            assert player.send("POST", f"/api/v3/task_instance/{number}/log_done", "{}")[0] == 200
        lines.taken()
        again = {str(number): f"8_{number}" for number in ids} | {str(said_again): f"7_{said_again}"}
        assert player.send("POST", path, json.dumps(again)) == (200, {"success": True})
        stored = {number: player.whole(number)["task_instance"]["distributor_id"] for number in ids}
        refusals = [
            player.send("GET", f"/api/v3/tasks/{number // 1000}")[1]["attempts"][0]["refusals"] for number in ids
        ]
    [line, *_] = lines.taken()
    expected = {number: f"8_{number}" for number in ids}
    assert stored == expected | {number: f"7_{number}" for number in (ended, said_again)}
    assert refusals == [0, 0, 1, 0, 0, 0]
    assert line["refusal"] == {"kind": "OTHER_JOB", "reason": "it runs as another job"}
