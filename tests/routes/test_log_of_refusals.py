"""A request that is answered 200 without what it asked for says so in its log line."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from local.log import TerminalFormat
from lockstep.routes import ROUTES
from tests.conformance.recording import Player
from tests.support.attempt import ANOTHER_JOB, NAMES
from tests.support.every import is_listed
from tests.support.lines import Lines
from tests.support.memory.boundary import in_memory
from tests.support.memory.virtual_time import VirtualTime, running_on
from tests.support.seeding import batch, pair, run_of
from tests.verification.faults.scenarios import Ask, ask, bound, play, run_in

SOON: Final = {"next_report_increment": 90}
NOBODYS: Final = 9_999_999


def about(status: str, task: str, route: str, **body: Any) -> Callable[[], Ask]:
    """A report about an instance in a status."""
    return lambda: ask(route, body, task_instance_id=pair(status, task))


def about_batch(status: str, task: str, route: str, **body: Any) -> Callable[[], Ask]:
    """A report about the one batch of an array."""
    return lambda: ask(route, {"batch_number": 1, **body}, array_id=pair(status, task) // 1000)


def beat_of_another_job() -> Ask:
    instance = pair("O", "O")
    play(ask("log_running", {**NAMES, **SOON}, task_instance_id=instance))
    return ask("log_report_by", {"distributor_id": ANOTHER_JOB["distributor_id"], **SOON}, task_instance_id=instance)


def ids_of_another_array() -> Ask:
    return ask("array_log_distributor_id", {str(pair("O", "O")): "7"}, array_id=NOBODYS)


def queue_what_runs() -> Ask:
    task = pair("R", "R") // 1000
    body = {"task_ids": [task], "task_resources_id": 1, "workflow_run_id": task}
    return ask("queue_task_batch", body, array_id=task)


def done_before_its_tasks_are() -> Ask:
    play(ask("bind_tasks_no_args", bound(1)[0]))
    return ask("log_workflow_run_heartbeat", {"status": "D", **SOON}, workflow_run_id=run_in("B", "I", "O", "R", "C"))


TRIAGE: Final = {"error_state": "U", "error_message": "boom"}
REFUSED: Final[dict[str, tuple[Callable[[], Ask], str]]] = {
    "log_running": (about("D", "D", "log_running", **NAMES, **SOON), "DONE never becomes RUNNING"),
    "log_report_by": (beat_of_another_job, "another worker node has taken it over"),
    "log_done": (about("E", "G", "log_done"), "ERROR never becomes DONE"),
    "log_error_worker_node": (
        about("D", "D", "log_error_worker_node", error_state="E", error_description="boom"),
        "DONE never becomes ERROR",
    ),
    "log_distributor_id": (
        about("D", "D", "log_distributor_id", distributor_id="7", **SOON),
        "it is in a final status",
    ),
    "log_no_distributor_id": (
        about("R", "R", "log_no_distributor_id", no_id_err_msg="none"),
        "RUNNING never becomes NO_DISTRIBUTOR_ID",
    ),
    "log_known_error": (about("Q", "Q", "log_known_error", **TRIAGE), "QUEUED never becomes UNKNOWN_ERROR"),
    "log_unknown_error": (
        about("R", "R", "log_unknown_error", **TRIAGE),
        "it is not overdue: it reported meanwhile, or was never due",
    ),
    "instantiate_task_instances": (
        lambda: ask("instantiate_task_instances", {"task_instance_ids": [pair("R", "R")]}),
        "RUNNING never becomes INSTANTIATED",
    ),
    "array_log_distributor_id": (ids_of_another_array, "it is not of this array, or does not exist"),
    "transition_to_launched": (
        about_batch("I", "D", "transition_to_launched", **SOON),
        "its task is DONE, which never becomes LAUNCHED",
    ),
    "transition_to_killed": (about_batch("R", "R", "transition_to_killed"), "killed is about KILL_SELF only"),
    "queue_task_batch": (queue_what_runs, "RUNNING never becomes QUEUED"),
    "create_workflow_run": (
        lambda: ask("create_workflow_run", {"workflow_id": NOBODYS, **SOON}),
        f"No workflow exists for ID {NOBODYS}",
    ),
    "set_resume_state": (
        lambda: ask("set_resume_state", {"reset_if_running": True}, task_id=NOBODYS),
        f"no workflow {NOBODYS} exists",
    ),
    "set_resume": (
        lambda: ask("set_resume", {"reset_running_jobs": True}, workflow_id=NOBODYS),
        f"no workflow {NOBODYS} exists",
    ),
    "increase_resources": (
        lambda: ask("increase_resources", workflow_id=NOBODYS),
        f"no workflow {NOBODYS} exists",
    ),
    "update_workflow_run_status": (
        lambda: ask("update_workflow_run_status", {"status": "D"}, workflow_run_id=run_in()),
        "LINKING never becomes DONE",
    ),
    "log_workflow_run_heartbeat": (done_before_its_tasks_are, "COLD_RESUME never becomes DONE"),
}
"""A refusal of each route that can refuse with a 200, and the reason that its line gives."""

FINDS_OR_MAKES: Final = "it finds or makes what it is told; what it cannot bind is a 4xx"
READS: Final = "it changes nothing"
WHAT_IT_FINDS: Final = "it moves what it finds to be moved; what moves meanwhile is refused as any transition is"
CANNOT_REFUSE: Final = {
    **{route.name: READS for route in ROUTES if route.method == "GET"},
    **dict.fromkeys(("get_task_resources", "get_downstream_tasks", "task_status_updates"), READS),
    "get_tasks": "it reads, and notes how far it came",
    "is_resumable": "it tells whether a run may be linked; it ends what it finds to be over, as the calls below",
    "log_report_by_batch": "its distributor reports for what is LAUNCHED; the worker nodes of the others have begun to",
    "sync_status": "it reads, and notes of each batch which statuses its instances have",
    **dict.fromkeys(
        (
            *("bind_tool", "create_tool_version", "bind_task_template", "add_task_template_version"),
            *("bind_tasks_no_args", "bind_resources", "bind_task_args", "bind_task_attributes", "create_array"),
            *("bind_nodes", "bind_dag", "add_edges", "bind_workflow", "set_workflow_attributes"),
        ),
        FINDS_OR_MAKES,
    ),
    **dict.fromkeys(("set_status_for_triaging", "terminate_task_instances", "force_cleanup_kill_self"), WHAT_IT_FINDS),
}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    with in_memory(), running_on(VirtualTime()):
        yield Lines(monkeypatch)


def answered(player: Player, lines: Lines, request: Ask) -> dict[str, Any]:
    """The line of a request that is answered 200."""
    lines.taken()
    assert player.send(request.method, request.path, request.body)[0] == 200
    [line] = lines.taken()
    return line


def test_each_route_is_one_that_refuses_or_one_that_cannot() -> None:
    to_do = "add a refusal of it to REFUSED, or say in CANNOT_REFUSE why there is none"
    is_listed({route.name for route in ROUTES}, REFUSED.keys() | CANNOT_REFUSE.keys(), to_do)
    assert not REFUSED.keys() & CANNOT_REFUSE.keys()


@pytest.mark.parametrize("route", REFUSED)
def test_its_line_says_so(player: Player, lines: Lines, route: str) -> None:
    prepare, reason = REFUSED[route]
    line = answered(player, lines, prepare())
    assert line["refusal"]["reason"] == reason
    assert line["refusal"]["kind"].isupper()
    assert not line.keys() & {"source", "target", "moves"}


def a_workflow_that_runs() -> int:
    run_in("B", "I", "O", "R")
    return 1


RESUMED: Final[dict[str, tuple[Callable[[int], Ask], str]]] = {
    "another link": (
        lambda workflow: ask("create_workflow_run", {"workflow_id": workflow, **SOON}),
        "holds the workflow: it is running",
    ),
    "a start over": (
        lambda workflow: ask("set_resume_state", {"reset_if_running": False}, task_id=workflow),
        "Workflow 1 is not resumable. Please set the appropriate resume state.",
    ),
}


@pytest.mark.parametrize("what", RESUMED)
def test_a_workflow_that_runs_is_not_taken(player: Player, lines: Lines, what: str) -> None:
    request, reason = RESUMED[what]
    assert answered(player, lines, request(a_workflow_that_runs()))["refusal"]["reason"].endswith(reason)


STAYS_COLD: Final = "a cold resume was requested, and no run was linked since: it stays cold"


def test_a_cold_resume_stays_cold(player: Player, lines: Lines) -> None:
    workflow = a_workflow_that_runs()
    cold, hot = (ask("set_resume", {"reset_running_jobs": cold}, workflow_id=workflow) for cold in (True, False))
    assert "refusal" not in answered(player, lines, cold)
    assert "refusal" not in answered(player, lines, cold)
    told = answered(player, lines, hot)["refusals"]
    assert [each["reason"] for each in told] == ["COLD_RESUME never becomes HOT_RESUME", STAYS_COLD]


def test_so_it_does_if_its_run_has_ended(player: Player, lines: Lines) -> None:
    run_in("B", "I", "O", "R", "E")
    cold, hot = (ask("set_resume", {"reset_running_jobs": cold}, workflow_id=1) for cold in (True, False))
    assert "refusal" not in answered(player, lines, cold)
    assert answered(player, lines, hot)["refusal"]["reason"] == STAYS_COLD


def test_a_heartbeat_that_knows_an_earlier_status_moves_nothing(player: Player, lines: Lines) -> None:
    request = ask("log_workflow_run_heartbeat", {"status": "B", **SOON}, workflow_run_id=run_in("B", "I"))
    assert answered(player, lines, request)["refusal"]["reason"] == "INSTANTIATED never becomes BOUND"


def test_many_refusals_are_counted_by_their_reason(player: Player, lines: Lines) -> None:
    ids = batch({"status": "R"}, {"status": "R"}, {"status": "D"})
    tasks = [number // 1000 for number in ids]
    body = {"task_ids": [*tasks, NOBODYS], "task_resources_id": 1, "workflow_run_id": run_of(ids[0])}
    line = answered(player, lines, ask("queue_task_batch", body, array_id=run_of(ids[0])))
    counts = {each["reason"]: each["count"] for each in line["refusals"]}
    assert counts == {"RUNNING never becomes QUEUED": 2, "DONE never becomes QUEUED": 1, "it does not exist": 1}


def test_a_person_reads_it_too(player: Player, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "format", lambda record: json.dumps({"line": TerminalFormat().format(record)}))
    line = answered(player, lines, REFUSED["create_workflow_run"][0]())
    assert line["line"].endswith(f"200 refused: No workflow exists for ID {NOBODYS}")
