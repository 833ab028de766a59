"""Where Lockstep departs from Jobmon's whole client's recorded requests, and what it does instead.

Numbers as in docs/departures.md. A request that is refused changes nothing: the replay holds the table against itself.
"""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

Case = dict[str, Any]
Request = dict[str, Any]


class Expected(NamedTuple):
    """What Lockstep answers, and why not what was recorded."""

    departure: str | None
    status: int
    reply: Any
    """Of a departure that is a 422: the fields that it names. Of one that is a 400 or a 404: its detail."""


def expected(case: Case) -> Expected:
    """What Lockstep answers to a recorded request."""
    request = case["request"]
    if request["status"] == 307:
        return Expected("framework", 200, WITHOUT_SLASH[case["case_id"]])
    of_kind = _of_one(case) or _of_field(case) or _of_body(case) or _of_path(case)
    return of_kind or Expected(None, request["status"], request.get("response"))


def expected_before(case: Case, request: Request) -> Expected:
    """What Lockstep answers to an earlier request that prepares a case."""
    return _of_step(BEFORE, case, request)


def expected_afterwards(case: Case, request: Request) -> Expected:
    """What Lockstep answers to a later request that shows the effect of a case."""
    return _of_step(AFTERWARDS, case, request)


def _of_step(steps: "Steps", case: Case, request: Request) -> Expected:
    for cases, path, answer in steps:
        if re.fullmatch(cases, case["case_id"]) and re.search(path, request["path"]):
            return answer(case, request) if callable(answer) else answer
    return Expected(None, request["status"], request.get("response"))


def _held(run: str) -> dict[str, Any]:
    return {"workflow_run_id": None, "err_msg": f"WorkflowRun $WFR1 holds the workflow: it is {run}"}


def _told(**tasks: str) -> dict[str, Any]:
    """A poll's reply, by the digits of the tasks' symbols."""
    return {
        "tasks_by_status": {status: [f"$TASK{digit}" for digit in digits] for status, digits in tasks.items()},
        "time": "$TIME",
    }


NEW_YET: Final = {"workflow_id": "$WF1", "status": "G", "newly_created": True}
NEW_WORKFLOW: Final = {"workflow_id": "$WF2", "status": "G", "newly_created": True}
VERSIONS: Final = {"tool_versions": [["$TV1", "$TOOL1"], ["$TV9", "$TOOL1"]]}
FINISHED: Final = _told(D="1", A="2")
DONE: Final = _told(D="1")
NOT_RESUMABLE: Final = {"workflow_is_resumable": False, "pending_kill_self": 0}
TERMINATED: Final = {"workflow_run_id": "$WFR1", "num_terminated": 1}
CLEANED_UP: Final = {"num_cleaned_up": 1, "num_workflow_runs_finalized": 1}
COMMAND_7: Final = ["$TTV9", "7", ["n"], ["q"], [], {"n": "$ARG1", "q": "$ARG9"}, "$TT1"]
COMMAND_OF_SETUP: Final = [
    "$TTV1",
    "run {n} {x} {v}",
    ["n"],
    ["x"],
    ["v"],
    {"n": "$ARG1", "x": "$ARG2", "v": "$ARG3"},
    "$TT1",
]
LONG_NAME: Final = "t" * 256
WITHOUT_SLASH: Final[dict[str, Any]] = {
    "path/edges/slash": {},
    "path/update_status/slash": {"status": "B"},
    "path/log_heartbeat/slash": {"status": "R"},
    "path/terminate/slash": TERMINATED,
    "path/task_status_updates/slash": DONE,
    "path/force_cleanup/slash": CLEANED_UP,
}
"""What the path is answered without its trailing slash."""


def _task(array: str, status: str, max_attempts: int, limit: int, *, scales: str = "{'memory': 0.5}") -> list[Any]:
    """What get_tasks tells of a task of the setups."""
    asked = '{"memory": 4, "cores": 2, "runtime": 60}'
    return [array, status, max_attempts, scales, "[]", asked, "multiprocess", "null.q", limit]


FIRST, SECOND, FOURTH = _task("$ARRAY1", "G", 1, 100), _task("$ARRAY2", "G", 3, 5), _task("$ARRAY1", "G", 1, 100)
BOUND: Final = {"$TASK1": FIRST, "$TASK2": SECOND, "$TASK3": SECOND, "$TASK4": FOURTH}
NOT_DONE: Final = {"$TASK2": _task("$ARRAY2", "A", 3, 5), "$TASK3": _task("$ARRAY2", "R", 3, 5), "$TASK4": FOURTH}
BOUND_AGAIN: Final = {"$TASK2": _task("$ARRAY1", "G", 9, 100), "$TASK3": _task("$ARRAY2", "R", 3, 5), "$TASK4": FOURTH}
ONE: Final = {
    "state/link/I": Expected("33", 200, _held("instantiated")),
    "state/link/O": Expected("33", 200, _held("launched")),
    "state/link/C": Expected("33", 200, _held("cold resume")),
    "repeat/workflow_run": Expected("33", 200, _held("linking")),
    "semantics/link twice": Expected("33", 200, _held("linking")),
    "state/is_resumable/O": Expected("33", 200, NOT_RESUMABLE),
    "happy/tool_versions/tool": Expected("25", 200, VERSIONS),
    "query/tool_versions/client_jobmon_version": Expected("25", 200, VERSIONS),
    "path/queue/3/NULL.Q": Expected("29", 200, {"queue": None}),
    "path/cluster/SEQUENTIAL": Expected("29", 200, {"cluster": None}),
    "semantics/tool name 'LAB-TOOL' 8": Expected("26", 200, {"tool": ["$TOOL9", "LAB-TOOL"]}),
    "semantics/tool name 'None' 4": Expected("2", 422, ["name"]),
    "semantics/template name 'tttttttttttt' 256": Expected("26", 200, {"task_template_id": "$TT9"}),
    "semantics/template of an unknown tool version": Expected("26", 422, ["tool_version_id"]),
    "semantics/add_version arg twice in a kind": Expected("27", 422, ["node_args"]),
    "field/add_version/command_template = 7": Expected("2", 200, {"task_template_version": COMMAND_7}),
    "semantics/nodes empty list": Expected("30", 200, {"nodes": {}}),
    "semantics/nodes version as text": Expected("30", 200, {"nodes": {"$TTV1:7": "$NODE1"}}),
    "semantics/nodes arg of 2049": Expected("30", 422, ["nodes.0.node_args.$ARG1"]),
    "semantics/edges of unknown dag": Expected("31", 404, "DAG 999999999 does not exist"),
    "semantics/workflow same, other name and limit": Expected("37", 200, NEW_YET),
    "semantics/workflow same, attributes changed": Expected("37", 200, NEW_YET),
    "semantics/workflow same, attributes emptied": Expected("37", 200, NEW_YET),
    "semantics/workflow hash as text": Expected("37", 200, NEW_YET),
    "semantics/workflow args hash of 151 digits": Expected("2", 422, ["workflow_args_hash"]),
    "semantics/workflow attributes a list": Expected("2", 422, ["workflow_attributes"]),
    "semantics/workflow limit 2^31": Expected("2", 422, ["max_concurrently_running"]),
    "semantics/workflow emoji name": Expected("17", 200, NEW_WORKFLOW),
    "semantics/workflow name of 256": Expected("17", 200, NEW_WORKFLOW),
    "semantics/workflow attribute value of 256": Expected("17", 200, NEW_WORKFLOW),
    "semantics/workflow attribute name of 256": Expected("17", 200, NEW_WORKFLOW),
    "semantics/workflow other dag": Expected("31", 422, ["dag_id"]),
    "semantics/workflow_attributes unknown workflow": Expected("1", 404, "workflow 999999999 does not exist"),
    "semantics/task_args two elements": Expected("2", 422, ["task_args.0.2"]),
    "semantics/task_attributes value of 256": Expected("17", 200, {}),
    "semantics/task_attributes name of 256": Expected("17", 200, {}),
    "semantics/task_attributes names differ by case": Expected("17", 200, {}),
    "semantics/task_attributes list": Expected("2", 422, ["task_attributes.$TASK1"]),
    "semantics/task_attributes nested": Expected("2", 422, ["task_attributes.$TASK1.k"]),
    "semantics/task_attributes task not a number": Expected("2", 422, ["task_attributes.abc.[key]"]),
    "semantics/bind_tasks two keys, one task": Expected("32", 422, ["tasks.10"]),
    "semantics/bind_tasks two keys, one new task": Expected("32", 422, ["tasks.10"]),
    "semantics/bind_tasks null name": Expected("2", 422, ["tasks.9.4"]),
    "semantics/bind_tasks scales long": Expected("17", 200, {"tasks": {"9": ["$TASK5", "G"]}}),
    "semantics/task_status_updates past": Expected("38", 200, FINISHED),
    "semantics/task_status_updates iso T": Expected("38", 200, FINISHED),
    "repeat/task_status_updates": Expected("38", 200, DONE),
    "happy/task_status_updates": Expected("38", 200, DONE),
    "semantics/task_status_updates null": Expected("2", 200, _told(D="1", A="2", R="3", G="4")),
    "semantics/task_status_updates empty text": Expected("38", 422, ["last_sync"]),
    "semantics/task_status_updates nonsense": Expected("38", 422, ["last_sync"]),
    "semantics/task_status_updates number": Expected("38", 422, ["last_sync"]),
    "semantics/task_status_updates sees E from increase_resources": Expected("38", 200, _told(D="1", G="3")),
    "semantics/task_status_updates unknown workflow": Expected("1", 404, "workflow 999999999 does not exist"),
    "semantics/get_tasks {'max_task_id': 999999999, 'chunk_size': 500}": Expected("41", 200, {"tasks": NOT_DONE}),
    "semantics/get_tasks, tasks without an array": Expected("2", 200, {"tasks": BOUND}),
    "query/get_tasks/max_task_id=-1": Expected("2", 422, ["max_task_id"]),
    "query/get_tasks/chunk_size=-1": Expected("2", 422, ["chunk_size"]),
}


def _with_first_version(_: Case, request: Request) -> Expected:
    """The version that was made with the tool is among them."""
    return Expected("25", 200, {"tool_versions": [*request["response"]["tool_versions"], ["$TV9", "$TOOL1"]]})


def _only_what_was_asked_for(_: Case, request: Request) -> Expected:
    asked = {f"{node['task_template_version_id']}:{node['node_args_hash']}" for node in request["body"]["nodes"]}
    nodes = {name: node for name, node in request["response"]["nodes"].items() if name in asked}
    return Expected("30", 200, {"nodes": nodes})


def _with_long_scales(case: Case, _: Request) -> Expected:
    [(*_, scales, _)] = case["request"]["body"]["tasks"].values()
    return Expected("17", 200, {"tasks": BOUND | {"$TASK5": _task("$ARRAY1", "G", 1, 100, scales=str(scales))}})


def _loser(_: Case, request: Request) -> Expected:
    """The second of two that link at once is told so in other words."""
    lost = request["response"]["workflow_run_id"] is None
    return Expected("33", 200, _held("linking")) if lost else Expected(None, 200, request["response"])


def _matching(*workflows: tuple[str, str]) -> dict[str, Any]:
    return {"matching_workflows": [[task_hash, "$TV1", dag] for task_hash, dag in workflows]}


TASK_HASH: Final = str(10**77 + 8)
OF_SETUP: Final = TASK_HASH, "1234567890123456789"
Steps = tuple[tuple[str, str, Expected | Callable[[Case, Request], Expected]], ...]
"""The cases, the requests before or after them, and what these are answered."""
BEFORE: Final[Steps] = (
    (r"repeat/task_status_updates", "/task_status_updates$", Expected("38", 200, DONE)),
    (r"semantics/link after lost race and first ended", "/workflow_run$", _loser),
    (r"semantics/get_tasks, tasks without an array", "/bind_tasks_no_args$", Expected("2", 422, ["tasks.9.2"])),
)
AFTERWARDS: Final[Steps] = (
    (
        r"state/update_status/(B->I|I->[^IOE]|O->[^RE])|state/link/[IO]",
        "/is_resumable$",
        Expected("33", 200, NOT_RESUMABLE),
    ),
    (r"state/set_resume/[IO]/hot", "/update_status$", Expected("34", 200, {"status": "H"})),
    (r"state/set_resume/[IO]/cold", "/update_status$", Expected("34", 200, {"status": "C"})),
    (r"state/set_resume/[IO]/(cold|hot)", "/is_resumable$", Expected("34", 200, NOT_RESUMABLE)),
    (r"repeat/force_cleanup", "/task_status_updates$", Expected("39", 200, _told(F="1", G="234"))),
    (r"semantics/link, then a resume of the linking run", "/workflow_run$", Expected("33", 200, _held("linking"))),
    (r"field/set_resume/reset_running_jobs = 'no'", "/update_status$", Expected("2", 200, {"status": "H"})),
    (r"(repeat|happy|field)/tool(_version)?(/.*)?", "/tool_versions$", _with_first_version),
    (r"semantics/nodes cross product of hashes", "/nodes$", _only_what_was_asked_for),
    (r"semantics/workflow other dag", "/workflow/1000", Expected("31", 200, _matching(OF_SETUP))),
    (r"state/bind_tasks again/A/reset_if_running False", "/get_tasks/", Expected("40", 200, {"tasks": BOUND_AGAIN})),
    (
        r"field/add_version/command_template = 7",
        "/versions$",
        Expected("2", 200, {"task_template_versions": [COMMAND_OF_SETUP, COMMAND_7]}),
    ),
    (r"field/workflow/.* missing", "/workflow/1000", Expected("2", 200, _matching(OF_SETUP))),
    (r"field/bind_tasks/mark_created missing", "/task_status_updates$", Expected("2", 200, _told(G="1"))),
    (r"semantics/tool name 'LAB-TOOL' 8", "/tool$", Expected("26", 200, {"tool": ["$TOOL9", "LAB-TOOL"]})),
    (
        r"semantics/template name 'tttttttttttt' 256",
        "/task_templates$",
        Expected(
            "26",
            200,
            {"task_templates": [["$TT1", "$TV1", "alpha"], ["$TT2", "$TV1", "beta"], ["$TT9", "$TV1", LONG_NAME]]},
        ),
    ),
    (
        r"semantics/workflow (same, .*|hash as text)",
        r"/\$WF2/fetch_workflow_metadata$",
        Expected("37", 422, ["workflow_id"]),  # no second workflow, so no id for the symbol
    ),
    (
        r"semantics/workflow (emoji name|(name|attribute .*) of 256)",
        "/workflow/1000",
        Expected("17", 200, _matching(OF_SETUP, ("6", "1234567890123456789"))),
    ),
    (
        r"semantics/workflow (emoji name|(name|attribute .*) of 256)",
        r"/\$WF2/fetch_workflow_metadata$",
        Expected("17", 200, {"workflow": ["$WF2", "$DAG1", 10]}),
    ),
    (
        r"semantics/task_attributes (.* of 256|names differ by case)",
        "/bind_task_attributes$",
        Expected("17", 200, {}),
    ),
    (r"semantics/bind_tasks scales long", "/task_status_updates$", Expected("17", 200, _told(G="12345"))),
    (r"semantics/bind_tasks scales long", "/get_tasks/", _with_long_scales),
)


def _of_one(case: Case) -> Expected | None:
    if re.fullmatch(r"semantics/dag hash (-1|1.5|9+|7+(-2)?)", case["case_id"]):
        return Expected("31", 422, ["dag_hash"])
    return ONE.get(case["case_id"])


MAY_BE_LEFT_OUT: Final[dict[str, Any]] = {
    "field/workflow/description missing": NEW_YET,
    "field/workflow/name missing": NEW_YET,
    "field/workflow/workflow_attributes missing": NEW_YET,
    "field/bind_resources/task_resources_type_id null": "$TR9",
    "field/bind_tasks/mark_created missing": {"tasks": {"501": ["$TASK1", "G"]}},
    "field/task_status_updates/last_sync null": _told(D="1", R="23", G="4"),
}
"""Fields that have a default, and the replies."""
WAS_TAKEN: Final = {
    "tool/name = {}",
    "task_template/tool_version_id = -1",
    "add_version/arg_mapping_hash null",
    "add_version/arg_mapping_hash = 'x'",
    "add_version/arg_mapping_hash = {}",
    "add_version/node_args = {}",
    "add_version/op_args = {}",
    "dag/dag_hash = 'x'",
    "edges/edges_to_add = {}",
    "workflow/tool_version_id = -1",
    "workflow/dag_id = -1",
    "workflow/workflow_args_hash null",
    "workflow/workflow_args_hash = []",
    "workflow/task_hash = -1",
    "array/workflow_id = -1",
    "bind_resources/requested_resources missing",
    "bind_resources/requested_resources null",
    "bind_resources/requested_resources = 'x'",
    "bind_tasks/mark_created null",
    "update_status/status = {}",
    "log_heartbeat/status = []",
    "task_status_updates/last_sync = {}",
    "set_resume/reset_running_jobs null",
}
"""Fields of the wrong type, or that are missing, which Jobmon stores or overlooks."""


def _of_field(case: Case) -> Expected | None:
    if case["group"] != "field":
        return None
    if case["case_id"] in MAY_BE_LEFT_OUT:
        return Expected("2", 200, MAY_BE_LEFT_OUT[case["case_id"]])
    what = case["case_id"].removeprefix("field/")
    cut = what.endswith(" = 1.5") and not what.startswith(("workflow_run/next", "log_heartbeat/next"))
    if case["request"]["status"] == 200 and what not in WAS_TAKEN and not cut:
        return None
    return Expected("2", 422, [what.split("/")[1].split(" ")[0]])


NEEDS_NO_BODY: Final[dict[str, Any]] = {
    "body/terminate/null": TERMINATED,
    "body/force_cleanup/null": CLEANED_UP,
    "body/increase_resources/null": {"updated_task_count": 0, "updated_task_ids": []},
}
REQUIRED: Final = {
    "tool": ["name"],
    "task_template": ["tool_version_id", "task_template_name"],
    "add_version": ["command_template", "arg_mapping_hash", "node_args", "task_args", "op_args"],
    "dag": ["dag_hash"],
    "workflow": ["tool_version_id", "dag_id", "workflow_args_hash", "task_hash"],
    "workflow_attributes": ["workflow_attributes"],
    "array": ["workflow_id", "task_template_version_id", "max_concurrently_running", "name"],
    "bind_resources": ["queue_id", "requested_resources"],
    "bind_tasks": ["workflow_id", "tasks"],
    "bind_task_attributes": ["task_attributes"],
    "update_status": ["status"],
    "set_resume": ["reset_running_jobs"],
    "get_downstream_tasks": ["task_ids", "dag_id"],
}
"""The fields that an empty body lacks, by route."""


def _of_body(case: Case) -> Expected | None:
    if case["group"] != "edge" or case["request"]["status"] == 200:
        return None
    if case["case_id"] in NEEDS_NO_BODY:
        return Expected("2", 200, NEEDS_NO_BODY[case["case_id"]])
    _, route, body = case["case_id"].split("/")
    if body in {"none", "not json"}:
        return Expected("2", 400, "the body is not JSON: Expecting value: line 1 column 1 (char 0)")
    return Expected("2", 422, REQUIRED[route] if body == "empty object" else ["body"])


WAS_EMPTY: Final = re.compile(
    r"path/(edges|workflow_attributes|task_status_updates|tool_versions|task_templates|versions)"
    r"/(unknown id|negative|zero|beyond 2\^63)"
)
"""Jobmon answers as if there were one, with nothing in it."""


KINDS: Final = {
    "add_version": "task template",
    "edges": "DAG",
    "workflow_attributes": "workflow",
    "update_status": "workflow run",
    "log_heartbeat": "workflow run",
    "task_status_updates": "workflow",
    "tool_versions": "tool",
    "task_templates": "tool version",
    "versions": "task template",
    "get_array_max_concurrently_running": "array",
}
"""What the paths name by its id."""


def _of_path(case: Case) -> Expected | None:
    if case["group"] != "path" or not (case["request"]["status"] == 500 or WAS_EMPTY.fullmatch(case["case_id"])):
        return None
    route = case["case_id"].split("/")[1]
    [number] = re.findall(r"/(-?\d+)(?=/|$)", case["request"]["path"])
    if route == "terminate":
        return Expected("1", 200, {"workflow_run_id": int(number), "num_terminated": 0})
    return Expected("1", 404, f"{KINDS[route]} {number} does not exist")
