"""No reply and no log line is larger than what carries it: the worst case of every route, held to docs/sizes.md."""

import json
import re
from itertools import product
from typing import Any, Final

import pytest
from pydantic import BaseModel

from functions.api.get_time.app import TimeReply
from functions.api.health.app import HealthReply
from functions.array.array_log_distributor_id.app import DistributorIdsReply
from functions.array.create_array.app import ArrayReply
from functions.array.get_array_task_instance_id.app import StepReply
from functions.array.list_array_tasks.app import ArrayTasksReply, TaskRow
from functions.array.queue_task_batch.app import QueuedReply
from functions.cluster.get_cluster.app import ClusterReply
from functions.cluster.get_queue.app import QueueReply
from functions.dag.bind_dag.app import DagReply
from functions.dag.bind_nodes.app import NodesReply
from functions.task.bind_resources.app import ResourcesReply
from functions.task.bind_tasks_no_args.app import BoundTasksReply
from functions.task.get_task_resources.app import TaskResourcesReply
from functions.task.most_recent_ti_error.app import NewestErrorReply
from functions.task.set_resume_state.app import NotStartedOver, StartOverReply
from functions.task.show_task.app import AttemptView, TaskReply
from functions.task_instance.instantiate_task_instances.app import InstantiateReply
from functions.task_instance.log_running.app import StartReply
from functions.task_template.add_task_template_version.app import TaskTemplateVersionReply
from functions.task_template.bind_task_template.app import TaskTemplateReply
from functions.task_template.get_task_template_versions.app import TaskTemplateVersionsReply
from functions.task_template.get_task_templates.app import TaskTemplatesReply
from functions.tool.bind_tool.app import ToolReply
from functions.tool.create_tool_version.app import ToolVersionReply
from functions.tool.get_tool_versions.app import ToolVersionsReply
from functions.workflow.bind_workflow.app import BoundWorkflowReply
from functions.workflow.fetch_workflow_metadata.app import Metadata, MetadataReply
from functions.workflow.force_cleanup_kill_self.app import CleanupReply
from functions.workflow.get_matching_workflows.app import MatchingReply
from functions.workflow.increase_resources.app import IncreaseReply
from functions.workflow.is_resumable.app import ResumableReply
from functions.workflow.list_workflows.app import WorkflowRow, WorkflowsReply
from functions.workflow.show_workflow.app import ArrayView, WorkflowReply
from functions.workflow.task_status_updates.app import ProgressReply
from functions.workflow_run.create_workflow_run.app import NotLinked, RunReply
from functions.workflow_run.sync_status.app import SyncReply
from functions.workflow_run.terminate_task_instances.app import TerminateReply
from local import gateway
from local.events import read
from local.seed import Seed, load
from local.template import ROOT
from lockstep import clock
from lockstep.cluster.builtin import Cluster, Queue
from lockstep.context import request
from lockstep.dynamodb.client import fetch
from lockstep.dynamodb.item import MAX_ID, MAX_LONG_ID, MAX_TITLE_BYTES
from lockstep.errors import MAX_FIELDS, FieldError, InvalidError
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus, WorkflowRunStatus, WorkflowStatus
from lockstep.http import reply
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import (
    MAX_IDS_PER_CALL,
    MAX_NODES_PER_CALL,
    MAX_PATH_BYTES,
    MAX_RESOURCES_BYTES,
    MAX_TASKS_PER_CALL,
)
from lockstep.http.models import LimitReply, MessageReply, NoReply, Reply, RunStatusReply, StatusReply
from lockstep.http.reply import MAX_REPLY_BYTES, as_json, carried
from lockstep.routes import ROUTES
from lockstep.task import bind
from lockstep.task.attempts import MOST_ATTEMPTS
from lockstep.task.item import MAX_INLINE_SPEC_BYTES, TaskLookup
from lockstep.task_instance.item import MAX_ERROR_BYTES, MAX_INLINE_BYTES, MAX_LOG_CHARACTERS, InstanceKey
from lockstep.task_instance.views import InstanceView, TaskView, WholeReply
from lockstep.task_template.arguments import MAX_ARGUMENTS, ids_by_name
from lockstep.task_template.bind import MAX_VERSION_BYTES
from lockstep.task_template.views import TemplateRow, VersionRow
from lockstep.text import size
from lockstep.tool.read import MOST_VERSIONS
from lockstep.workflow import progress
from lockstep.workflow.bind import MOST_MATCHING, Matching
from lockstep.workflow.cursor import GROUP, MOST_GROUPS
from lockstep.workflow.item import MAX_USER_BYTES
from lockstep.workflow.overview import MOST_ARRAYS, MOST_ATTRIBUTES, MOST_RUNS
from lockstep.workflow_run import instantiate
from lockstep.workflow_run.instantiate import InstanceBatch
from lockstep.workflow_run.poll import MOST_READ, MOST_TOLD
from lockstep.workflow_run.views import RunView
from ops.clusters.file import MOST_BYTES_OF_A_NAME, MOST_BYTES_OF_PARAMETERS
from tests.conformance.recording import Player
from tests.routes.test_observability import Seen, seen

__all__ = ["seen"]  # a fixture

GROWS: Final = "\x00"
"""The character that takes one byte of a field's limit and seven of a reply."""
GROWS_MOST: Final = "\U0001f600\ud800"
"""Where a limit counts characters, one of 14 bytes; the other makes it be written so."""
IDS: Final = list(range(MAX_ID - MAX_IDS_PER_CALL, MAX_ID))
TASKS: Final = IDS[:MAX_TASKS_PER_CALL]
TOLD: Final = list(range(MAX_ID - MOST_READ - MOST_TOLD, MAX_ID))
COMMAND: Final = GROWS * 300_000
NAME: Final = GROWS * 1_000
PATH: Final = GROWS * MAX_PATH_BYTES
OUTPUT: Final = (GROWS_MOST[0] * MAX_LOG_CHARACTERS)[1:] + GROWS_MOST[1]
SHORT_THAT_GROWS: Final = [chr(number) for number in range(32) if chr(number) not in "\b\t\n\f\r\x10"]
"""As GROWS."""
PRINTABLE: Final = '"' * MOST_BYTES_OF_A_NAME
"""Of printable characters, the one that grows most: four bytes of a reply for one of the limit."""
PLUGIN: Final = "\u00e9" * (MOST_BYTES_OF_A_NAME // 2)
"""Of the characters of an identifier."""
PARAMETERS: Final = '"' * MOST_BYTES_OF_PARAMETERS
MOMENT: Final = clock.iso(0.000001)
RUNNING: Final = StatusReply(status=TaskInstanceStatus.RUNNING)
BOUND: Final = RunStatusReply(status=WorkflowRunStatus.BOUND)
SENTENCE: Final = MessageReply(message="x" * 200)
WHOLE: Final = WholeReply(
    task_instance=InstanceView(
        task_instance_id=MAX_ID,
        status=TaskInstanceStatus.RUNNING,
        status_name="NO_DISTRIBUTOR_ID",
        status_date=MOMENT,
        report_by_date=MOMENT,
        workflow_run_id=MAX_ID,
        array_id=MAX_ID,
        array_batch_num=MAX_ID,
        array_step_id=MAX_ID,
        task_resources_id=MAX_ID,
        distributor_id=GROWS * 80,
        nodename=GROWS * 255,
        process_group_id=-(2**63),
        stdout=PATH,
        stderr=PATH,
        stdout_log=OUTPUT,
        stderr_log=OUTPUT,
    ),
    task=TaskView(
        task_id=MAX_ID,
        status=TaskStatus.ADJUSTING_RESOURCES,
        status_name="ADJUSTING_RESOURCES",
        num_attempts=999,
        max_attempts=2**31,
        workflow_id=MAX_ID,
        array_id=MAX_ID,
        name=NAME,
        command=COMMAND,
    ),
)


def most_arguments() -> list[list[str]]:
    """As many arguments of each kind as there may be, of names that grow, that fill a version beside its command."""
    room = MAX_VERSION_BYTES - len(COMMAND) - 3 * MAX_ARGUMENTS
    lengths = [(room + position) // (3 * MAX_ARGUMENTS) for position in range(3 * MAX_ARGUMENTS)]
    first_letters = product(SHORT_THAT_GROWS, repeat=3)
    names = ["".join(letters) + GROWS * (length - 3) for letters, length in zip(first_letters, lengths, strict=False)]
    return [names[kind * MAX_ARGUMENTS : (kind + 1) * MAX_ARGUMENTS] for kind in range(3)]


def version_row() -> VersionRow:
    node_args, task_args, op_args = most_arguments()
    ids = dict.fromkeys(ids_by_name([*node_args, *task_args, *op_args]), 2**48)
    return VersionRow(MAX_ID, COMMAND, node_args, task_args, op_args, ids, MAX_ID)


VERSION: Final = version_row()
TITLE: Final = GROWS * MAX_TITLE_BYTES
BY_STATUS: Final = dict.fromkeys(TaskStatus, 10**7)
RUN: Final = RunView(
    workflow_run_id=MAX_ID,
    workflow_id=MAX_ID,
    status=WorkflowRunStatus.INSTANTIATED,
    status_name="INSTANTIATED",
    status_date=MOMENT,
    user=GROWS * 255,
    jobmon_version=GROWS * 255,
    report_by_date=MOMENT,
    overdue=False,
)
WORKFLOW_ROW: Final = WorkflowRow(
    workflow_id=MAX_ID,
    name=TITLE,
    user=GROWS * MAX_USER_BYTES,
    status=WorkflowStatus.INSTANTIATING,
    status_name="INSTANTIATING",
    status_date=MOMENT,
    num_tasks=10**7,
    workflow_run_id=MAX_ID,
)
WORKFLOW: Final = WorkflowReply(
    workflow_id=MAX_ID,
    name=NAME,
    description=GROWS * 150_000,
    workflow_args=GROWS * 150_000,
    status=WorkflowStatus.INSTANTIATING,
    status_name="INSTANTIATING",
    status_date=MOMENT,
    bound_date=MOMENT,
    max_concurrently_running=2**31,
    num_tasks=10**7,
    tool_version_id=MAX_ID,
    dag_id="9" * 19,
    workflow_run_id=MAX_ID,
    attributes={f"{number:03d}{GROWS * 997}": NAME for number in range(MOST_ATTRIBUTES)},
    runs=[RUN] * MOST_RUNS,
    arrays=[
        ArrayView(
            array_id=MAX_ID, name=TITLE, max_concurrently_running=2**31, num_tasks=10**7, tasks_by_status=BY_STATUS
        )
    ]
    * MOST_ARRAYS,
    left_out=10**7,
    tasks_by_status=BY_STATUS,
    seen_date=MOMENT,
    more_failed=False,
    more_batches=False,
    more_tasks=False,
)
TASK_ROW: Final = TaskRow(
    task_id=MAX_ID,
    name=GROWS * MAX_INLINE_SPEC_BYTES,
    status=TaskStatus.ADJUSTING_RESOURCES,
    status_name="ADJUSTING_RESOURCES",
    status_date=MOMENT,
    num_attempts=999,
    max_attempts=2**31,
    task_instance_id=MAX_ID,
)
ATTEMPT: Final = AttemptView(
    task_instance_id=MAX_ID,
    status=TaskInstanceStatus.NO_DISTRIBUTOR_ID,
    status_name="NO_DISTRIBUTOR_ID",
    status_date=MOMENT,
    reason="x" * 100,
    queued_date=MOMENT,
    started_date=MOMENT,
    ended=False,
    report_by_date=MOMENT,
    overdue=False,
    takeovers=2**31,
    refusals=2**31,
    workflow_run_id=MAX_ID,
    distributor_id=GROWS * 150,
    nodename=GROWS * MAX_INLINE_BYTES["nodename"],
    array_batch_num=MAX_ID,
    array_step_id=MAX_ID,
)
TASK: Final = TaskReply(
    task_id=MAX_ID,
    name=NAME,
    command=COMMAND,
    status=TaskStatus.ADJUSTING_RESOURCES,
    status_name="ADJUSTING_RESOURCES",
    status_date=MOMENT,
    num_attempts=999,
    max_attempts=2**31,
    workflow_id=MAX_ID,
    array_id=MAX_ID,
    node_id="9" * 19,
    task_resources_id=MAX_ID,
    attempts=[ATTEMPT] * MOST_ATTEMPTS,
    left_out=974,
)
TEMPLATE: Final = TemplateRow(MAX_ID, MAX_ID, NAME)
WORST: Final[dict[str, BaseModel]] = {
    "health": HealthReply(),
    "log_running": StartReply(
        task_instance=(MAX_ID, TaskInstanceStatus.RUNNING, MAX_ID, MAX_ID, NAME, COMMAND, MAX_ID, PATH, PATH)
    ),
    **dict.fromkeys(("log_report_by", "log_done", "log_error_worker_node"), RUNNING),
    **dict.fromkeys(
        ("log_distributor_id", "log_no_distributor_id", "log_known_error", "log_unknown_error"),
        SENTENCE,
    ),
    **dict.fromkeys(
        ("log_report_by_batch", "transition_to_launched", "transition_to_killed", "set_status_for_triaging"), NoReply()
    ),
    "get_task_instance": WHOLE,
    "bind_tool": ToolReply(tool=(MAX_ID, NAME)),
    "get_tool_versions": ToolVersionsReply(tool_versions=[(MAX_ID, MAX_ID)] * MOST_VERSIONS),
    "create_tool_version": ToolVersionReply(tool_version=(MAX_ID, MAX_ID)),
    "bind_task_template": TaskTemplateReply(task_template_id=MAX_ID),
    "add_task_template_version": TaskTemplateVersionReply(task_template_version=VERSION),
    "bind_resources": ResourcesReply(MAX_ID),
    "get_task_resources": TaskResourcesReply(
        requested_resources={"a": '"' * ((MAX_RESOURCES_BYTES - 10) // 2)}, queue_name=PRINTABLE
    ),
    "create_array": ArrayReply(array_id=MAX_ID),
    "queue_task_batch": QueuedReply(tasks_by_status={TaskStatus.QUEUED: TASKS}),
    "array_log_distributor_id": DistributorIdsReply(),
    "get_array_task_instance_id": StepReply(task_instance_id=MAX_ID),
    "create_workflow_run": RunReply(NotLinked(workflow_run_id=None, err_msg="x" * 200)),
    **dict.fromkeys(("bind_task_args", "bind_task_attributes", "set_workflow_attributes", "set_resume"), NoReply()),
    "set_resume_state": StartOverReply(NotStartedOver(err_msg="x" * 200)),
    "most_recent_ti_error": NewestErrorReply(error_description=GROWS * MAX_ERROR_BYTES, task_instance_id=MAX_ID),
    **dict.fromkeys(("get_array_limit", "get_workflow_limit"), LimitReply(max_concurrently_running=2**31 - 1)),
    "get_matching_workflows": MatchingReply(
        matching_workflows=[Matching("9" * 150, MAX_ID, str(-(2**63)))] * MOST_MATCHING
    ),
    "bind_workflow": BoundWorkflowReply(workflow_id=MAX_ID, status=WorkflowStatus.REGISTERING, newly_created=False),
    "task_status_updates": ProgressReply(
        tasks_by_status={TaskStatus.DONE: [MAX_ID] * progress.MOST_TOLD}, time=clock.naive(0)
    ),
    "is_resumable": ResumableReply(workflow_is_resumable=False, pending_kill_self=MAX_ID),
    "force_cleanup_kill_self": CleanupReply(num_cleaned_up=MAX_ID, num_workflow_runs_finalized=1),
    "fetch_workflow_metadata": MetadataReply(workflow=Metadata(MAX_ID, -(2**63), 2**31 - 1)),
    "increase_resources": IncreaseReply(
        updated_task_count=GROUP * MOST_GROUPS, updated_task_ids=[MAX_ID] * GROUP * MOST_GROUPS
    ),
    "bind_nodes": NodesReply(
        nodes={f"{MAX_ID}:{10**150 - 1 - number}": 2**62 - 1 for number in range(MAX_NODES_PER_CALL)}
    ),
    "bind_dag": DagReply(dag_id=MAX_LONG_ID, created_date=clock.naive(0)),
    "add_edges": NoReply(),
    **dict.fromkeys(("update_workflow_run_status", "log_workflow_run_heartbeat"), BOUND),
    "sync_status": SyncReply(status_updates={TaskInstanceStatus.QUEUED: TOLD}, time=clock.naive(0)),
    "terminate_task_instances": TerminateReply(workflow_run_id=MAX_ID, num_terminated=MAX_ID),
    "get_cluster": ClusterReply(cluster=Cluster(MAX_ID, PRINTABLE, PLUGIN, PARAMETERS)),
    "get_queue": QueueReply(queue=Queue(MAX_ID, PRINTABLE, PARAMETERS)),
    "get_time": TimeReply(time=clock.naive(0)),
    "list_workflows": WorkflowsReply(workflows=[WORKFLOW_ROW] * 100, cursor=MAX_ID),
    "show_workflow": WORKFLOW,
    "list_array_tasks": ArrayTasksReply(tasks=[TASK_ROW] * 100, cursor="9" * 33),
    "show_task": TASK,
    "show_run": RUN,
}
"""The largest reply of each route that can be made without a limit of its own."""
BOUNDED: Final = {
    "task_instance_error_log",
    "instantiate_task_instances",
    "bind_tasks_no_args",
    "get_tasks",
    "get_task_templates",
    "get_task_template_versions",
    "get_downstream_tasks",
}
"""The routes that measure: the tests below, test_task_instance_error_log.py and test_get_downstream_tasks.py."""
DOCUMENT: Final = (ROOT / "docs" / "sizes.md").read_text(encoding="utf-8")


def documented() -> dict[str, int]:
    rows = re.findall(r"^\| ([`a-z_, ]+) \| [^|]+ \| ([\d,]+) \|$", DOCUMENT, re.MULTILINE)
    return {name: int(number.replace(",", "")) for names, number in rows for name in re.findall(r"`(\w+)`", names)}


def test_every_route_has_a_worst_case() -> None:
    assert WORST.keys() | BOUNDED | {"show_page"} == {route.name for route in ROUTES} == documented().keys()


def test_the_page_takes_no_more_than_is_documented() -> None:
    """It is always the same, so it is held to a round number, not to its own size."""
    reply = gateway.load_handler("show_page")(read("show_page"), None)
    assert carried(reply["body"]) <= documented()["show_page"]


@pytest.mark.parametrize("name", WORST)
def test_the_worst_reply_of_a_route_is_carried_and_documented(name: str) -> None:
    taken = carried(as_json(WORST[name]))
    assert taken == documented()[name] <= MAX_REPLY_BYTES


@pytest.mark.parametrize("name", sorted(BOUNDED))
def test_a_route_that_measures_fills_a_reply_at_most(name: str) -> None:
    assert documented()[name] == MAX_REPLY_BYTES


@pytest.mark.parametrize("character", [GROWS, '"', "\u00e9", GROWS_MOST])
def test_what_a_binding_tells_is_never_more_than_was_reckoned(character: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {f"{number:05d}{character * 20}": (MAX_ID, TaskStatus.ERROR_FATAL) for number in range(1_000)}
    taken = carried(as_json(BoundTasksReply(tasks=names)))
    monkeypatch.setattr(bind, "MAX_REPLY_BYTES", taken - 1)
    with pytest.raises(InvalidError):
        bind._check_reply(names)  # noqa: SLF001  # what it reckons is not told otherwise


def test_names_that_no_reply_holds_are_refused_before_anything_is_bound(player: Player) -> None:
    rows = {f"{number:05d}" + '"' * 250: [number, "h", 1, 1, "t", "c", 3] for number in range(1, 7_001)}
    body = json.dumps({"workflow_id": 77, "tasks": rows}).encode()
    status, problem = player.send("PUT", "/api/v3/task/bind_tasks_no_args", body)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["tasks"])
    assert "send fewer tasks a call" in problem["detail"]
    with request():
        assert not fetch([TaskLookup.key(77, number, "h") for number in range(1, 101)], consistent=True)


def queued_in_arrays(count: int, name: str) -> list[int]:
    """The ids of QUEUED instances, each of a task and an array of its own."""
    first = 90_000_000
    numbers = range(first, first + count)
    array = {"name": name, "workflow_id": 1, "task_template_version_id": 1, "max_concurrently_running": 1}
    task = {"status": "Q", "num_attempts": 1, "max_attempts": 3, "workflow_id": 1, "name": "t", "command": "c"}
    instance = {"status": "Q", "workflow_run_id": 1, "array_batch_num": 1, "array_step_id": 0, "task_resources_id": 1}
    seed = {
        "arrays": [array | {"array_id": number, "task_template_version_id": number} for number in numbers],
        "tasks": [task | {"task_id": number, "array_id": number, "task_resources_id": 1} for number in numbers],
        "task_instances": [
            instance | {"task_instance_id": InstanceKey(number, 1).id, "array_id": number} for number in numbers
        ],
    }
    load(Seed.model_validate(seed))
    return [InstanceKey(number, 1).id for number in numbers]


def take(player: Player, ids: list[int]) -> list[int]:
    body = json.dumps({"task_instance_ids": ids})
    status, taken = player.send("POST", "/api/v3/task_instance/instantiate_task_instances", body)
    assert status == 200, taken
    return [number for *_, members in taken["task_instance_batches"] for number in members]


def test_only_instances_of_which_a_reply_can_tell_are_taken(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply of 6 MB tells of 880 arrays with the longest names. A smaller one, of fewer."""
    ids = queued_in_arrays(30, NAME)
    monkeypatch.setattr(instantiate, "MAX_REPLY_BYTES", MAX_REPLY_BYTES // 40)
    told = take(player, ids)
    assert told == ids[: len(told)]
    assert 15 < len(told) < 30
    assert take(player, ids) == told, "the same call again, as after a lost reply, tells the same"
    statuses = [player.send("GET", f"/api/v3/task_instance/{number}")[1]["task_instance"]["status"] for number in ids]
    assert statuses == ["I"] * len(told) + ["Q"] * (30 - len(told))
    rest = ids[len(told) :]
    assert take(player, rest) == rest


def test_what_the_distributor_is_told_is_never_more_than_was_reckoned() -> None:
    """By the largest ids, 10,000 arrays of names that grow."""
    batches = [InstanceBatch(MAX_ID - number, NAME, 2**31, MAX_ID, [MAX_ID - number]) for number in range(800)]
    taken = carried(as_json(InstantiateReply(task_instance_batches=batches)))
    of_batch, of_id = instantiate._BATCH_BYTES, instantiate._ID_BYTES  # noqa: SLF001  # what is reckoned
    assert taken <= of_batch + 800 * (of_batch + of_id + reply.carried_as_json(NAME))


def test_the_largest_version_is_one_that_may_be_added() -> None:
    names = [*VERSION.node_args, *VERSION.task_args, *VERSION.op_args]
    assert len(set(names)) == len(names) == 3 * MAX_ARGUMENTS
    assert size(VERSION.command_template) + sum(map(size, names)) + len(names) == MAX_VERSION_BYTES


@pytest.mark.parametrize("rows", [[TEMPLATE] * 1_000, [VERSION] * 4], ids=["templates", "versions"])
def test_lists_that_measure_fill_a_reply_and_no_more(rows: list[Any]) -> None:
    kept: list[Any] = reply.first_that_fit(iter(rows))
    of: Any = TaskTemplatesReply(task_templates=kept) if rows[0] is TEMPLATE else None
    taken = carried(as_json(of or TaskTemplateVersionsReply(task_template_versions=kept)))
    assert 1 <= len(kept) < len(rows)
    assert taken <= MAX_REPLY_BYTES < taken + reply.carried_as_json([rows[0]]) + 200


class Huge(Reply):
    """A reply."""

    text: str


@endpoint("health")
def huge() -> Huge:
    return Huge(text='"' * 2_000_000)


def test_a_reply_that_a_route_did_not_bound_never_leaves(seen: Seen) -> None:
    event: dict[str, Any] = {"httpMethod": "GET", "path": "/api/v3/health"}
    answer = huge(event, None)
    problem = json.loads(answer["body"])
    assert (answer["statusCode"], problem["status"], problem["title"]) == (500, 500, "Internal Server Error")
    assert problem["detail"] == f"the reply takes 8000015 bytes; Lambda carries {MAX_REPLY_BYTES}"
    assert seen.metrics() == {"Failed.ReplyTooLarge": 1}


def test_a_refusal_is_small_whatever_it_names() -> None:
    worst = [FieldError(GROWS * 100_000, GROWS_MOST * 10_000) for _ in range(10_000)]
    answer = reply.of_error(InvalidError(worst))
    assert len(json.loads(answer.body)["errors"]) == MAX_FIELDS
    assert carried(answer.body) < 200_000
    assert len(json.dumps(answer.why)) < 50_000
