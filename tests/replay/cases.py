"""What every event in events/ is answered on the table that events/seed.json describes, and what becomes of it."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NamedTuple
from unittest.mock import ANY

from local.template import ROOT

EVENTS: Final = ROOT / "events"
SEED: Final = EVENTS / "seed.json"
ENVIRONMENT: Final = EVENTS / "env.json"

Event = dict[str, Any]
Facts = dict[str, Any]
Send = Callable[[str, Event], tuple[int, Any]]
"""Hands an event to the function that its file is named after; status and body of the reply."""


class Such:
    """Equal to whatever fits."""

    def __init__(self, what: str, fits: Callable[[Any], bool]) -> None:
        self._what = what
        self._fits = fits

    def __eq__(self, other: object) -> bool:
        return self._fits(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{self._what}>"


def new_id(last: int) -> Such:
    return Such(f"an id after {last}", lambda value: type(value) is int and value > last)


SEEDED: Final = json.loads(SEED.read_text())
SPECS: Final = {task["task_id"]: (task["name"], task["command"]) for task in SEEDED["tasks"]}
NEW_ARRAY: Final = new_id(max(array["array_id"] for array in SEEDED["arrays"]))
NEW_TASK: Final = new_id(max(SPECS))
NEW_RESOURCES: Final = new_id(5)
NEW_RUN: Final = new_id(max(instance["workflow_run_id"] for instance in SEEDED["task_instances"]))
A_TIME: Final = Such(
    "a time without a zone", lambda value: bool(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", str(value)))
)
AHEAD: Final = Such(
    "a moment ahead", lambda value: isinstance(value, str) and datetime.fromisoformat(value) > datetime.now(UTC)
)


class Case(NamedTuple):
    """What an event is answered, and how things stand afterwards."""

    event: str
    status: int
    body: Any
    """All of it where the status is 200; otherwise as much of it as is stated."""
    afterwards: Mapping[int, Facts] = {}
    """Of an instance and its task, as much as is stated."""
    behind: str | None = None
    """The event that comes first."""


def pair(task_instance: str, task: str, *, errors: list[str] | None = None, **details: Any) -> Facts:
    """The two statuses, and details of the instance."""
    facts = {"task_instance": {"status": task_instance} | details, "task": {"status": task}}
    return facts if errors is None else facts | {"errors": errors}


def status(letter: str) -> Facts:
    return {"status": letter}


def message(text: str) -> Facts:
    return {"message": text}


def not_found(what: str) -> Facts:
    return {"status": 404, "title": "Not Found", "detail": what}


def invalid(field: str, complaint: str = ANY) -> Facts:
    return {"status": 422, "title": "Unprocessable Entity", "errors": [{"field": field, "message": complaint}]}


def row(task_instance_id: int, letter: str) -> Facts:
    """log_running's reply."""
    task_id = task_instance_id // 1000
    name, command = SPECS[task_id]
    return {
        "task_instance": [task_instance_id, letter, 6100, task_id, name, command, 6000, "/logs/out", "/logs/err"],
    }


NOBODY: Final = "task instance 7999001 does not exist"
NODE: Final = "node-17.cluster.example.org"
OTHER_NODE: Final = "node-18.cluster.example.org"
WORKER: Final[Facts] = {"nodename": NODE, "distributor_id": "8675309_4", "process_group_id": 4242}
NO_DATA: Final = "ValueError: no data for 2019"

CASES: Final = {
    # log_done
    "a command finished": Case(
        "log_done",
        200,
        status("D"),
        {
            7001001: pair(
                "D", "D", stdout="/logs/out/step.o", stdout_log="converged after 12 iterations\n", stderr_log=""
            )
        },
    ),
    "a finished command in triage passes through RUNNING": Case(
        "log_done.triaging", 200, status("D"), {7002001: pair("D", "D")}
    ),
    "a command finished before it could be killed": Case(
        "log_done.killed", 200, status("D"), {7003001: pair("D", "D")}
    ),
    "a command that was given up moves nothing when it finishes, but what it says is stored": Case(
        "log_done.untimely", 200, status("U"), {7004001: pair("U", "G", nodename=NODE, stdout="/logs/out/step.o")}
    ),
    "a command that is done stays done": Case("log_done.repeated", 200, status("D"), {7005001: pair("D", "D")}),
    "a worker that says nothing of itself leaves alone what is stored": Case(
        "log_done.empty", 200, status("D"), {7006001: pair("D", "D", nodename=NODE, stdout="/logs/out/kept.o")}
    ),
    "a body in base64 is a body": Case(
        "log_done.base64", 200, status("D"), {7007001: pair("D", "D", stdout="/logs/out/step.o")}
    ),
    "an unknown instance cannot finish": Case("log_done.unknown_id", 404, not_found(NOBODY)),
    "a list is no path, and nothing moves": Case(
        "log_done.ill_typed", 422, invalid("stdout", "must be text"), {7008001: pair("R", "R")}
    ),
    "Python is no JSON, and nothing moves": Case(
        "log_done.not_json", 400, {"status": 400, "title": "Bad Request"}, {7009001: pair("R", "R")}
    ),
    "an id in words is no id": Case("log_done.id_not_a_number", 422, invalid("task_instance_id")),
    # log_running
    "a worker starts": Case("log_running", 200, row(7010001, "R"), {7010001: pair("R", "R", **WORKER)}),
    "a worker may start before the distributor says that it launched": Case(
        "log_running.early", 200, row(7011001, "R"), {7011001: pair("R", "R", **WORKER, report_by_date=AHEAD)}
    ),
    "a worker whose reply was lost asks again and runs": Case(
        "log_running.lost_reply", 200, row(7012001, "R"), {7012001: pair("R", "R", **WORKER)}
    ),
    "a second worker is told to stop, and leaves no trace": Case(
        "log_running.second_worker", 200, row(7013001, "K"), {7013001: pair("R", "R", **WORKER)}
    ),
    "a second worker takes over from one that fell silent": Case(
        "log_running.takeover",
        200,
        row(7014001, "R"),
        {7014001: pair("R", "R", **WORKER | {"nodename": OTHER_NODE, "process_group_id": 5353}, report_by_date=AHEAD)},
    ),
    "a worker that is to be killed ends before it starts": Case(
        "log_running.killed", 200, row(7015001, "F"), {7015001: pair("F", "F", **WORKER)}
    ),
    "a worker that was given up ends, and its task tries again": Case(
        "log_running.no_heartbeat", 200, row(7016001, "E"), {7016001: pair("E", "G", **WORKER)}
    ),
    "a worker must say its process group": Case(
        "log_running.missing_field",
        422,
        invalid("process_group_id", "Field required"),
        {7017001: pair("O", "O", nodename=None)},
    ),
    "an unknown instance cannot start": Case("log_running.unknown_id", 404, not_found(NOBODY)),
    # log_report_by
    "a heartbeat": Case("log_report_by", 200, status("R"), {7018001: pair("R", "R", stdout="/logs/out/step.o")}),
    "a heartbeat ends triage": Case(
        "log_report_by.triaging", 200, status("R"), {7019001: pair("R", "R", report_by_date=AHEAD)}
    ),
    "a heartbeat learns that it is to stop": Case("log_report_by.killed", 200, status("K"), {7020001: pair("K", "R")}),
    "a bare heartbeat leaves paths alone": Case(
        "log_report_by.bare",
        200,
        status("R"),
        {7021001: pair("R", "R", **WORKER, stdout="/logs/out/kept.o", stderr="/logs/err/kept.e")},
    ),
    "an unknown instance has no heart": Case("log_report_by.unknown_id", 404, not_found(NOBODY)),
    # log_report_by_batch
    "the distributor's heartbeat reaches what is launched and nothing else": Case(
        "log_report_by_batch",
        200,
        {},
        {7022001: pair("O", "O", report_by_date=AHEAD), 7023001: pair("R", "R", report_by_date=None)},
    ),
    "the distributor's heartbeat for nobody": Case("log_report_by_batch.nobody", 200, {}),
    "null is no list of instances": Case("log_report_by_batch.null", 422, invalid("task_instance_ids")),
    # log_error_worker_node
    "a command failed, and its task tries again": Case(
        "log_error_worker_node", 200, status("E"), {7024001: pair("E", "G", errors=[NO_DATA])}
    ),
    "a command failed for the last time": Case(
        "log_error_worker_node.last_attempt", 200, status("E"), {7025001: pair("E", "F", errors=[NO_DATA])}
    ),
    "a command ran out of memory, and its task asks for more": Case(
        "log_error_worker_node.out_of_memory",
        200,
        status("Z"),
        {7026001: pair("Z", "A", errors=["exit status 137: out of memory"])},
    ),
    "a failed command in triage passes through RUNNING": Case(
        "log_error_worker_node.triaging", 200, status("E"), {7027001: pair("E", "G", errors=[NO_DATA])}
    ),
    "a command whose task has ended without it is laid to rest": Case(
        "log_error_worker_node.orphan", 200, status("F"), {7028001: pair("F", "F", errors=[NO_DATA])}
    ),
    "a failure that is told twice is one error entry": Case(
        "log_error_worker_node.repeated", 200, status("E"), {7029001: pair("E", "G", errors=[NO_DATA])}
    ),
    "a failure may be told with an emoji": Case(
        "log_error_worker_node.emoji",
        200,
        status("E"),
        {7030001: pair("E", "G", errors=["the model diverged \N{COLLISION SYMBOL}"])},
    ),
    "a failure cannot end in DONE": Case(
        "log_error_worker_node.wrong_state",
        422,
        invalid("error_state", "must be one of E, F, U, Z"),
        {7031001: pair("R", "R", errors=[])},
    ),
    # task_instance_error_log
    "what was said of a failure, in order": Case(
        "task_instance_error_log",
        200,
        {"task_instance_error_log": [[ANY, ANY, "no data for 2019"], [ANY, ANY, "no data for 2020"]]},
    ),
    "nothing was said of an instance that did not fail": Case(
        "task_instance_error_log.nothing_said", 200, {"task_instance_error_log": []}
    ),
    "an unknown instance has no error log": Case("task_instance_error_log.unknown_id", 404, not_found(NOBODY)),
    # get_array_task_instance_id
    "a worker of an array finds its instance": Case("get_array_task_instance_id", 200, {"task_instance_id": 7035001}),
    "a batch ends at its last step": Case(
        "get_array_task_instance_id.no_such_step", 404, not_found("array 701 has no step 3 in batch 2")
    ),
    "a batch that was never queued has no steps": Case(
        "get_array_task_instance_id.no_such_batch", 404, not_found("array 701 has no step 0 in batch 1")
    ),
    # log_no_distributor_id
    "a submission failed, and its task tries again": Case(
        "log_no_distributor_id",
        200,
        message(""),
        {7037001: pair("W", "G", errors=["sbatch: error: invalid partition specified"])},
    ),
    "a submission that failed and yet runs goes on, with an error entry": Case(
        "log_no_distributor_id.running",
        200,
        message("Illegal state transition. Not transitioning task, tid=7038001, from R to W"),
        {7038001: pair("R", "R", errors=["sbatch: error: invalid partition specified"])},
    ),
    # log_distributor_id
    "the cluster accepted a submission": Case(
        "log_distributor_id",
        200,
        message("Task instance transitioned to LAUNCHED"),
        {7039001: pair("O", "O", distributor_id="8675309_4", report_by_date=AHEAD)},
    ),
    "the distributor's word comes after the worker's, and is stored": Case(
        "log_distributor_id.running",
        200,
        message("Unable to transition to launched from R"),
        {7040001: pair("R", "R", **WORKER)},
    ),
    "the distributor's word comes after the end, and is stored": Case(
        "log_distributor_id.done",
        200,
        message("Task instance in final state, no transition needed"),
        {7041001: pair("D", "D", **WORKER)},
    ),
    # log_known_error
    "triage found a cause": Case(
        "log_known_error", 200, message(""), {7042001: pair("Z", "A", errors=["the cluster says OUT_OF_MEMORY"])}
    ),
    "triage found what the worker had told, and adds nothing": Case(
        "log_known_error.already",
        200,
        message("Already in error state"),
        {7043001: pair("Z", "A", errors=["exit status 137: out of memory"])},
    ),
    "triage cannot undo what is done": Case(
        "log_known_error.done_meanwhile",
        200,
        message("Invalid transition from D to Z"),
        {7044001: pair("D", "D", errors=[])},
    ),
    # log_unknown_error
    "triage found nothing": Case(
        "log_unknown_error", 200, message(""), {7045001: pair("U", "G", errors=["no heartbeat and no exit status"])}
    ),
    "triage yields to a heartbeat that came meanwhile": Case(
        "log_unknown_error.reported_meanwhile",
        200,
        message("The task instance is R and it is not overdue: it reported meanwhile, or was never due"),
        {7046001: pair("R", "R", errors=[])},
    ),
    "triage yields to the cause that the worker told": Case(
        "log_unknown_error.error_told",
        200,
        message("Invalid transition from E to U"),
        {7047001: pair("E", "G", errors=[NO_DATA])},
    ),
    # instantiate_task_instances
    "the distributor takes what is queued, by array and batch": Case(
        "instantiate_task_instances",
        200,
        {
            "task_instance_batches": [
                [702, "instantiate, first", 1, 5, [7048001, 7049001]],
                [703, "instantiate, second", 1, 5, [7050001]],
            ]
        },
        {7048001: pair("I", "I"), 7049001: pair("I", "I"), 7050001: pair("I", "I")},
    ),
    "the distributor asks again and is answered the same": Case(
        "instantiate_task_instances.repeated",
        200,
        {"task_instance_batches": [[704, "instantiate, again", 1, 5, [7051001, 7052001]]]},
        {7051001: pair("I", "I"), 7052001: pair("I", "I")},
    ),
    "the distributor gets nothing that is killed, runs, or does not exist": Case(
        "instantiate_task_instances.too_late",
        200,
        {"task_instance_batches": []},
        {7053001: pair("K", "G"), 7054001: pair("R", "R")},
    ),
    # get_task_instance
    "all that is known of an instance and its task": Case(
        "get_task_instance",
        200,
        {
            "task_instance": {
                "task_instance_id": 7055001,
                "status": "E",
                "status_name": "ERROR",
                "status_date": ANY,
                "report_by_date": AHEAD,
                "workflow_run_id": 6100,
                "array_id": 700,
                "array_batch_num": 1,
                "array_step_id": ANY,
                "task_resources_id": 5,
                **WORKER,
                "stdout": "/logs/out/step.o",
                "stderr": "/logs/err/step.e",
                "stdout_log": "",
                "stderr_log": "ValueError: no data for 2019\n",
            },
            "task": {
                "task_id": 7055,
                "status": "G",
                "status_name": "REGISTERING",
                "num_attempts": 1,
                "max_attempts": 3,
                "workflow_id": 6000,
                "array_id": 700,
                "name": "get_task_instance",
                "command": "run_model --step 55",
            },
        },
    ),
    "nothing is known of an unknown instance": Case("get_task_instance.unknown_id", 404, not_found(NOBODY)),
    "a word is no instance": Case("get_task_instance.id_not_a_number", 422, invalid("task_instance_id")),
    # create_array
    "a new array": Case("create_array", 200, {"array_id": NEW_ARRAY}),
    "an array that is known keeps its id": Case("create_array.again", 200, {"array_id": 705}),
    "an array cannot run fewer than no tasks": Case("create_array.ill_typed", 422, invalid("max_concurrently_running")),
    # queue_task_batch
    "tasks are queued in the order of their ids": Case(
        "queue_task_batch",
        200,
        {"tasks_by_status": {"Q": [7056, 7057, 7058]}},
        {
            7056001: pair("Q", "Q", array_batch_num=2, array_step_id=0),
            7057001: pair("Q", "Q", array_batch_num=2, array_step_id=1),
            7058002: pair("Q", "Q", array_batch_num=2, array_step_id=2),
            7058001: pair("Z", "Q", array_batch_num=1, array_step_id=0),
        },
    ),
    "a task of another array is not queued": Case(
        "queue_task_batch.foreign_task",
        200,
        {"tasks_by_status": {"Q": [7059], "G": [7060]}},
        {7059001: pair("Q", "Q")},
    ),
    "tasks that are queued, run or are done are left alone": Case(
        "queue_task_batch.not_ready",
        200,
        {"tasks_by_status": {"Q": [7061], "R": [7062], "D": [7063]}},
        {7061001: pair("Q", "Q"), 7062001: pair("R", "R"), 7063001: pair("D", "D")},
    ),
    "a task has 999 instances at most": Case(
        "queue_task_batch.exhausted",
        409,
        {"status": 409, "title": "Conflict"},
        {7064999: pair("U", "G")},
    ),
    # transition_to_launched
    "the cluster accepted a batch, some of which runs or is to be killed": Case(
        "transition_to_launched",
        200,
        {},
        {
            7065001: pair("O", "O", report_by_date=AHEAD),
            7066001: pair("O", "O", report_by_date=AHEAD),
            7067001: pair("R", "R", report_by_date=None),
            7068001: pair("K", "R", report_by_date=None),
        },
    ),
    "a batch that was never queued has nothing to launch": Case("transition_to_launched.no_such_batch", 200, {}),
    # transition_to_killed
    "what was to be killed is, and a task that a resume moved stays there": Case(
        "transition_to_killed",
        200,
        {},
        {7069001: pair("F", "F"), 7070001: pair("F", "G"), 7071001: pair("R", "R")},
    ),
    "a batch has a number": Case("transition_to_killed.missing_field", 422, invalid("batch_number", "Field required")),
    # array_log_distributor_id
    "the cluster's ids for a batch reach this array's instances and no others": Case(
        "array_log_distributor_id",
        200,
        {"success": True},
        {
            7072001: pair("O", "O", distributor_id="8675309_0"),
            7073001: pair("O", "O", distributor_id="8675309_1"),
            7074001: pair("O", "O", distributor_id=None),
        },
    ),
    "the cluster gave no ids": Case("array_log_distributor_id.nothing", 200, {"success": True}),
    # bind_tasks_no_args
    "tasks are bound": Case("bind_tasks_no_args", 200, {"tasks": {"a": [NEW_TASK, "G"], "b": [NEW_TASK, "G"]}}),
    "tasks that are bound again start over": Case(
        "bind_tasks_no_args.again",
        200,
        {"tasks": {"a": [NEW_TASK, "G"], "b": [NEW_TASK, "G"]}},
        behind="bind_tasks_no_args",
    ),
    "tasks of an array that there is not are not bound": Case(
        "bind_tasks_no_args.no_such_array",
        422,
        {"errors": [{"field": f"tasks.{name}.array_id", "message": "array 799 does not exist"} for name in ("a", "b")]},
    ),
    # bind_resources
    "resources are stored under a new id": Case("bind_resources", 200, NEW_RESOURCES),
    "resources are an object": Case("bind_resources.ill_typed", 422, invalid("requested_resources")),
    # create_workflow_run, update_workflow_run_status, log_workflow_run_heartbeat
    "a run is made, and has claimed its workflow": Case(
        "create_workflow_run", 200, {"workflow_run_id": NEW_RUN, "status": "L"}
    ),
    "a run is of a workflow": Case("create_workflow_run.missing_field", 422, invalid("workflow_id", "Field required")),
    "a distributor takes a run that is BOUND": Case("update_workflow_run_status", 200, status("I")),
    "a run that has not run is not done: the status that stands": Case(
        "update_workflow_run_status.too_early", 200, status("B")
    ),
    "an unknown run does not move": Case(
        "update_workflow_run_status.unknown_run", 404, not_found("workflow run 6999 does not exist")
    ),
    "a run has no status Y": Case("update_workflow_run_status.no_status", 422, invalid("status")),
    "a client is alive": Case("log_workflow_run_heartbeat", 200, status("B")),
    "an unknown run has no client": Case(
        "log_workflow_run_heartbeat.unknown_run", 404, not_found("workflow run 6999 does not exist")
    ),
    # sync_status
    "a distributor hears what left a status and what came to it": Case(
        "sync_status", 200, {"status_updates": {"D": [7077001], "O": [7078001], "R": [7075001]}, "time": A_TIME}
    ),
    "nothing is known of a run without instances": Case(
        "sync_status.nothing", 200, {"status_updates": {}, "time": A_TIME}
    ),
    "a word is no list of ids": Case("sync_status.ill_typed", 422, invalid("task_instance_ids")),
    # set_status_for_triaging
    "what is overdue is triaged; what was launched a moment ago may wait": Case(
        "set_status_for_triaging",
        200,
        {},
        {7079001: pair("T", "R"), 7080001: pair("R", "R"), 7081001: pair("O", "O")},
    ),
    # terminate_task_instances
    "a resume lays to rest what has not started and tells the rest to stop": Case(
        "terminate_task_instances",
        200,
        {"workflow_run_id": 6106, "num_terminated": 4},
        {
            7082001: pair("F", "Q", errors=["Workflow resume requested while the status was Q."]),
            7083001: pair("F", "F", errors=["Workflow resume requested while the status was I."]),
            7084001: pair("K", "O", errors=["Workflow resume requested while the status was O."]),
            7085001: pair("K", "R", errors=["Workflow resume requested while the status was R."]),
        },
    ),
    "there is nothing to stop in a run without instances": Case(
        "terminate_task_instances.nothing", 200, {"workflow_run_id": 6999, "num_terminated": 0}
    ),
    # get_cluster
    "a built-in plugin has its cluster": Case("get_cluster", 200, {"cluster": [2, "sequential", "sequential", None]}),
    "there is no other cluster": Case("get_cluster.unknown", 200, {"cluster": None}),
    # get_task_resources
    "resources come as an object": Case(
        "get_task_resources",
        200,
        {"requested_resources": {"stdout": "/logs/out", "stderr": "/logs/err"}, "queue_name": "null.q"},
    ),
    "resources that nobody bound": Case(
        "get_task_resources.unknown_id", 404, not_found("task resources 999999 do not exist")
    ),
    # health
    "the API answers": Case("health", 200, status("OK")),
}


def names() -> list[str]:
    return sorted(file.stem for file in EVENTS.glob("*.json") if file not in {SEED, ENVIRONMENT})


@cache
def read(name: str) -> Event:
    event: Event = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def route_name(name: str) -> str:
    return name.partition(".")[0]


def look(send: Send, task_instance_id: int) -> Facts:
    """The instance, its task and what was said of its failures."""
    path = {"pathParameters": {"task_instance_id": str(task_instance_id)}}
    _, facts = send("get_task_instance", read("get_task_instance") | path)
    _, errors = send("task_instance_error_log", read("task_instance_error_log") | path)
    return dict(facts) | {"errors": [description for *_, description in errors["task_instance_error_log"]]}


def stated(actual: Any, wanted: Any) -> Any:
    """As much of what is as was stated."""
    if isinstance(actual, dict) and isinstance(wanted, dict):
        return {key: stated(value, wanted[key]) for key, value in actual.items() if key in wanted}
    return actual
