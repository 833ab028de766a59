"""Where Lockstep departs from Jobmon's whole client's recorded requests, and what it does instead.

Numbers as in docs/departures.md. A request that is refused changes nothing: the replay holds the table against itself.
"""

import re
from typing import Any, Final, NamedTuple

Case = dict[str, Any]
ANY: Final = {"$any": True}
"""Any reply."""


class Expected(NamedTuple):
    """What Lockstep answers, and why not what was recorded."""

    departure: str | None
    status: int
    reply: Any
    field: str = ""
    """What a 422 names."""


def expected(case: Case) -> Expected:
    """What Lockstep answers to a recorded request."""
    request = case["request"]
    if request["status"] == 307:
        return Expected("framework", 200, ANY)
    of_kind = _of_one(case) or _of_field(case) or _of_body(case) or _of_path(case)
    return of_kind or Expected(None, request["status"], request.get("response"))


def expected_afterwards(case: Case, request: dict[str, Any]) -> tuple[str | None, Any]:
    """What Lockstep answers to a later request that shows the effect of a case, and the departure."""
    for departure, cases, path, reply in AFTERWARDS:
        if re.fullmatch(cases, case["case_id"]) and re.search(path, request["path"]):
            return departure, reply
    return None, request.get("response")


NOT_LINKED: Final = {"workflow_run_id": None, "err_msg": ANY}
NEW_YET: Final = {"workflow_id": "$WF1", "status": "G", "newly_created": True}
NEW_WORKFLOW: Final = {"workflow_id": "$WF2", "status": "G", "newly_created": True}
VERSIONS: Final = {"tool_versions": [["$TV1", "$TOOL1"], ["$TV9", "$TOOL1"]]}
FINISHED: Final = {"tasks_by_status": {"D": ["$TASK1"], "A": ["$TASK2"]}, "time": "$TIME"}
ONE: Final = {
    "state/link/I": Expected("33", 200, NOT_LINKED),
    "state/link/O": Expected("33", 200, NOT_LINKED),
    "state/link/C": Expected("33", 200, NOT_LINKED),
    "repeat/workflow_run": Expected("33", 200, NOT_LINKED),
    "semantics/link twice": Expected("33", 200, NOT_LINKED),
    "state/is_resumable/O": Expected("33", 200, {"workflow_is_resumable": False, "pending_kill_self": 0}),
    "happy/tool_versions/tool": Expected("25", 200, VERSIONS),
    "query/tool_versions/client_jobmon_version": Expected("25", 200, VERSIONS),
    "path/queue/3/NULL.Q": Expected("29", 200, {"queue": None}),
    "path/cluster/SEQUENTIAL": Expected("29", 200, {"cluster": None}),
    "semantics/tool name 'LAB-TOOL' 8": Expected("26", 200, {"tool": ["$TOOL9", "LAB-TOOL"]}),
    "semantics/tool name 'None' 4": Expected("2", 422, ANY, "name"),
    "semantics/template name 'tttttttttttt' 256": Expected("26", 200, {"task_template_id": "$TT9"}),
    "semantics/template of an unknown tool version": Expected("26", 422, ANY, "tool_version_id"),
    "semantics/add_version arg twice in a kind": Expected("27", 422, ANY, "node_args"),
    "field/add_version/command_template = 7": Expected("2", 200, ANY),
    "semantics/nodes empty list": Expected("30", 200, {"nodes": {}}),
    "semantics/nodes version as text": Expected("30", 200, {"nodes": {"$TTV1:7": "$NODE1"}}),
    "semantics/nodes arg of 2049": Expected("30", 422, ANY, "nodes.0.node_args"),
    "semantics/edges of unknown dag": Expected("31", 404, ANY),
    "semantics/workflow same, other name and limit": Expected("37", 200, NEW_YET),
    "semantics/workflow same, attributes changed": Expected("37", 200, NEW_YET),
    "semantics/workflow same, attributes emptied": Expected("37", 200, NEW_YET),
    "semantics/workflow hash as text": Expected("37", 200, NEW_YET),
    "semantics/workflow args hash of 151 digits": Expected("2", 422, ANY, "workflow_args_hash"),
    "semantics/workflow attributes a list": Expected("2", 422, ANY, "workflow_attributes"),
    "semantics/workflow limit 2^31": Expected("2", 422, ANY, "max_concurrently_running"),
    "semantics/workflow emoji name": Expected("17", 200, NEW_WORKFLOW),
    "semantics/workflow name of 256": Expected("17", 200, NEW_WORKFLOW),
    "semantics/workflow attribute value of 256": Expected("17", 200, NEW_WORKFLOW),
    "semantics/workflow attribute name of 256": Expected("17", 200, NEW_WORKFLOW),
    "semantics/workflow other dag": Expected("31", 422, ANY, "dag_id"),
    "semantics/workflow_attributes unknown workflow": Expected("1", 404, ANY),
    "semantics/task_args two elements": Expected("2", 422, ANY, "task_args.0"),
    "semantics/task_attributes value of 256": Expected("17", 200, {}),
    "semantics/task_attributes name of 256": Expected("17", 200, {}),
    "semantics/task_attributes names differ by case": Expected("17", 200, {}),
    "semantics/task_attributes list": Expected("2", 422, ANY, "task_attributes"),
    "semantics/task_attributes nested": Expected("2", 422, ANY, "task_attributes"),
    "semantics/task_attributes task not a number": Expected("2", 422, ANY, "task_attributes"),
    "semantics/bind_tasks two keys, one task": Expected("32", 422, ANY, "tasks.10"),
    "semantics/bind_tasks two keys, one new task": Expected("32", 422, ANY, "tasks.10"),
    "semantics/bind_tasks null name": Expected("2", 422, ANY, "tasks.9"),
    "semantics/bind_tasks scales long": Expected("17", 200, {"tasks": {"9": ["$TASK5", "G"]}}),
    "semantics/task_status_updates past": Expected("38", 200, FINISHED),
    "semantics/task_status_updates iso T": Expected("38", 200, FINISHED),
    "repeat/task_status_updates": Expected("38", 200, {"tasks_by_status": {"D": ["$TASK1"]}, "time": "$TIME"}),
    "happy/task_status_updates": Expected("38", 200, {"tasks_by_status": {"D": ["$TASK1"]}, "time": "$TIME"}),
    "semantics/task_status_updates null": Expected("2", 200, ANY),
    "semantics/task_status_updates empty text": Expected("38", 422, ANY, "last_sync"),
    "semantics/task_status_updates nonsense": Expected("38", 422, ANY, "last_sync"),
    "semantics/task_status_updates number": Expected("38", 422, ANY, "last_sync"),
    "semantics/task_status_updates sees E from increase_resources": Expected(
        "38", 200, {"tasks_by_status": {"D": ["$TASK1"], "G": ["$TASK3"]}, "time": "$TIME"}
    ),
    "semantics/task_status_updates unknown workflow": Expected("1", 404, ANY),
    "semantics/get_tasks {'max_task_id': 999999999, 'chunk_size': 500}": Expected("41", 200, ANY),
    "semantics/get_tasks, tasks without an array": Expected("2", 200, ANY),
    "query/get_tasks/max_task_id=-1": Expected("2", 422, ANY, "max_task_id"),
    "query/get_tasks/chunk_size=-1": Expected("2", 422, ANY, "chunk_size"),
}
NOT_RESUMABLE: Final = {"workflow_is_resumable": False, "pending_kill_self": 0}
AFTERWARDS: Final[tuple[tuple[str, str, str, Any], ...]] = (
    ("33", r"state/update_status/(B->I|I->[^IOE]|O->[^RE])", "/is_resumable$", NOT_RESUMABLE),
    ("34", r"state/set_resume/[IO]/hot", "/update_status$", {"status": "H"}),
    ("34", r"state/set_resume/[IO]/cold", "/update_status$", {"status": "C"}),
    ("34", r"state/set_resume/[IO]/(cold|hot)", "/is_resumable$", NOT_RESUMABLE),
    ("39", r"repeat/force_cleanup", "/task_status_updates$", ANY),
    ("33", r"semantics/link, then a resume of the linking run", "/workflow_run$", NOT_LINKED),
    ("2", r"field/set_resume/reset_running_jobs = 'no'", "/update_status$", {"status": "H"}),
    ("25", r"(repeat|happy|field)/tool(_version)?(/.*)?", "/tool_versions$", ANY),
    ("30", r"semantics/nodes cross product of hashes", "/nodes$", ANY),
    ("40", r"state/bind_tasks again/A/reset_if_running False", "/get_tasks/", ANY),
)
"""The departure, the cases, the requests that show the effect, and what these are answered."""


def _of_one(case: Case) -> Expected | None:
    if re.fullmatch(r"semantics/dag hash (-1|1.5|9+|7+(-2)?)", case["case_id"]):
        return Expected("31", 422, ANY, "dag_hash")
    return ONE.get(case["case_id"])


MAY_BE_LEFT_OUT: Final = {
    "field/workflow/description missing",
    "field/workflow/name missing",
    "field/workflow/workflow_attributes missing",
    "field/bind_resources/task_resources_type_id null",
    "field/bind_tasks/mark_created missing",
    "field/task_status_updates/last_sync null",
}
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
        return Expected("2", 200, ANY)
    what = case["case_id"].removeprefix("field/")
    cut = what.endswith(" = 1.5") and not what.startswith(("workflow_run/next", "log_heartbeat/next"))
    if case["request"]["status"] == 200 and what not in WAS_TAKEN and not cut:
        return None
    return Expected("2", 422, ANY, what.split("/")[1].split(" ")[0])


NEEDS_NO_BODY: Final = {"body/terminate/null", "body/force_cleanup/null", "body/increase_resources/null"}


def _of_body(case: Case) -> Expected | None:
    if case["group"] != "edge" or case["request"]["status"] == 200:
        return None
    if case["case_id"] in NEEDS_NO_BODY:
        return Expected("2", 200, ANY)
    return Expected("2", 400 if case["case_id"].endswith(("/none", "/not json")) else 422, ANY)


WAS_EMPTY: Final = re.compile(
    r"path/(edges|workflow_attributes|task_status_updates|tool_versions|task_templates|versions)"
    r"/(unknown id|negative|zero|beyond 2\^63)"
)
"""Jobmon answers as if there were one, with nothing in it."""


def _of_path(case: Case) -> Expected | None:
    if case["group"] != "path":
        return None
    if case["request"]["status"] == 500 and case["case_id"].startswith("path/terminate/"):
        return Expected("1", 200, ANY)
    if case["request"]["status"] == 500 or WAS_EMPTY.fullmatch(case["case_id"]):
        return Expected("1", 404, ANY)
    return None
