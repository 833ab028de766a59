"""What makes each function ask all that it can ask of AWS: every event in events/, and the paths that none takes."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from local import gateway
from local.events import SEED, cases, read
from local.events_document import record
from local.seed import Seed, SeedWorkflow, load
from lockstep.access.scopes import Scope
from lockstep.access.tokens import Grant
from lockstep.clock import HEARTBEAT_BUFFER_SECONDS, Deadline
from lockstep.context import request
from lockstep.dynamodb import parts
from lockstep.fsm.statuses import TaskStatus, WorkflowStatus
from lockstep.task.item import Task, TaskLookup
from lockstep.task_instance import bulk
from lockstep.workflow import cursor, left
from lockstep.workflow_run import earlier
from lockstep.workflow_run import sweep as sweeping
from ops.token import make
from tests.conformance.recording import Player, put
from tests.conformance.test_events import send
from tests.support.changes import task
from tests.support.life import POLLED, Run, failed_task, resumed, run_with
from tests.support.linking import linked_run
from tests.support.seeding import LONG_COMMAND, pair, running
from tests.support.tools import VERSION
from tests.verification.test_engine_faults import CLAIM, REPORTS, WORKFLOWS, bind, listening

Scenario = Callable[[Player], None]


def every_event(_: Player) -> None:
    load(Seed.model_validate_json(SEED.read_bytes()))
    for name, case in cases().items():
        if case.after:
            send(case.after, read(case.after))
        assert send(name, read(name))[0] == case.status, name


def reports_and_the_same_ones_again(player: Player) -> None:
    for route, (stands, _, body, _) in REPORTS.items():
        instance = pair(stands[0], stands[1], task={"num_attempts": 3})
        for _ in range(2):
            _ask(player, "POST", f"task_instance/{instance}/{route}", body)


def a_start_that_reads_twice_and_has_directories_of_its_own(player: Player) -> None:
    for attempt, operation in ((1, "Query"), (2, "BatchGetItem")):
        instance = pair("O", "O", attempt=attempt, task_resources_id=2)
        with _unseen(operation, Task.SORT_KEY):
            assert _ask(player, "POST", f"task_instance/{instance}/log_running", CLAIM)["task_instance"][1] == "R"


def a_start_of_a_later_attempt_with_a_long_command(player: Player) -> None:
    instance = pair("O", "O", attempt=2, task={"command": LONG_COMMAND})
    row = _ask(player, "POST", f"task_instance/{instance}/log_running", CLAIM)["task_instance"]
    assert (row[1], row[5]) == ("R", LONG_COMMAND)


def a_resume_of_a_task_with_a_long_command(player: Player) -> None:
    resources = _ask(player, "POST", "task/bind_resources", {"queue_id": 1, "requested_resources": {"cores": 2}})
    workflow_id = failed_task(player, resources, LONG_COMMAND)
    assert [status for status, *_ in resumed(player, workflow_id)] == ["F"]
    assert _ask(player, "POST", f"workflow/{workflow_id}/increase_resources")["updated_task_count"] == 1


def promises_to_report_soon(player: Player) -> None:
    """A batch that is due already is brought forward at the second try only."""
    for report_by_in in (1000, -1):
        for route in ("log_running", "log_report_by"):
            instance = pair("O", "O", report_by_in=report_by_in) if route == "log_running" else running(report_by_in=-1)
            _ask(player, "POST", f"task_instance/{instance}/{route}", CLAIM | {"next_report_increment": -1})


def an_error_log_with_a_long_text(player: Player) -> None:
    instance = running(errors=["x" * 5_000])
    _ask(player, "GET", f"task_instance/{instance}/task_instance_error_log")


def a_task_whose_latest_attempts_have_no_error(player: Player) -> None:
    task_id = pair("R", "R", attempt=3) // 1000
    assert _ask(player, "GET", f"task/{task_id}/most_recent_ti_error")["task_instance_id"] is None


def heartbeats(player: Player) -> None:
    beat = {"next_report_increment": HEARTBEAT_BUFFER_SECONDS, "stdout": "o" * 1000}
    for stands in "RT":
        assert _ask(player, "POST", f"task_instance/{pair(stands, 'R')}/log_report_by", beat) == {"status": "R"}


def an_index_that_lags(player: Player) -> None:
    run, [first, _] = run_with(player, "IK")
    with _unseen("Query", Task.SORT_KEY):
        found = _ask(player, "GET", f"get_array_task_instance_id/{run.id}/1/0")
    assert found == {"task_instance_id": first}
    body = {"batch_number": 1, "next_report_increment": 90}
    for route in ("transition_to_launched", "transition_to_killed"):
        with _unseen("Query", Task.SORT_KEY):
            assert _ask(player, "POST", f"array/{run.id}/{route}", body) == {}
    assert [player.whole(number)["task_instance"]["status"] for number in (first, first + 1000)] == ["O", "F"]


def taken_instances(player: Player) -> None:
    queued, taken = pair("Q", "Q"), pair("I", "I")
    for _ in range(2):
        body = {"task_instance_ids": [queued, taken]}
        reply = _ask(player, "POST", "task_instance/instantiate_task_instances", body)
        assert [ids for *_, ids in reply["task_instance_batches"]] == [[queued], [taken]]


def what_an_earlier_distributor_took(player: Player) -> None:
    run, ids = run_with(player, "I")
    run.move("I", "O", "I")
    for _ in range(2):
        reply = _ask(player, "POST", "task_instance/instantiate_task_instances", {"task_instance_ids": ids})
        assert [taken for *_, taken in reply["task_instance_batches"]] == [ids]


def more_than_is_written_unread(player: Player) -> None:
    run, ids = run_with(player, "OOO")
    with patch.object(bulk, "WRITTEN_UNREAD", 2):
        body = {"task_instance_ids": ids, "next_report_increment": 90}
        assert _ask(player, "POST", "task_instance/log_report_by/batch", body) == {}
        cluster_ids = {str(number): f"7_{number}" for number in ids}
        for _ in range(2):
            assert _ask(player, "POST", f"array/{run.id}/log_distributor_id", cluster_ids) == {"success": True}
    stored = [player.whole(number)["task_instance"]["distributor_id"] for number in ids]
    assert stored == list(cluster_ids.values())


def more_than_is_put_unread(player: Player) -> None:
    _, tasks = bind(player, next(WORKFLOWS))
    with patch.object(parts, "PUT_UNREAD", 1):
        for _ in range(2):
            noted = {"task_attributes": {str(number): {"a": "b"} for number in tasks}}
            assert _ask(player, "PUT", "task/bind_task_attributes", noted) == {}
            kept = {"task_args": [[number * 500, 1, "x"] for number in tasks]}
            assert _ask(player, "PUT", "task/bind_task_args", kept) == {}
            nodes = [
                {"task_template_version_id": number, "node_args_hash": "1", "node_args": {"1": "x"}}
                for number in (1, 2)
            ]
            assert _ask(player, "POST", "nodes", {"nodes": nodes})["nodes"].keys() == {"1:1", "2:1"}


def what_ended_under_another_name(player: Player) -> None:
    run, [ended] = run_with(player, "D")
    for job in ("7_0", "8_0"):
        body = {str(ended): job}
        assert _ask(player, "POST", f"array/{run.id}/log_distributor_id", body) == {"success": True}
    assert player.whole(ended)["task_instance"]["distributor_id"] == "7_0"


def what_somebody_else_bound_meanwhile(player: Player) -> None:
    workflow_id = next(WORKFLOWS)
    bound = bind(player, workflow_id)
    with _unseen("BatchGetItem", TaskLookup.SORT_KEY, times=2):
        assert bind(player, workflow_id) == bound


def tools_that_somebody_else_bound_meanwhile(player: Player) -> None:
    """Two reads miss each lookup, and the write finds it."""
    name = "bound meanwhile"
    tool = _ask(player, "POST", "tool", {"name": name})
    with _unseen("BatchGetItem", "TOOLOF#", times=2):
        assert _ask(player, "POST", "tool", {"name": name}) == tool
    tool_id = tool["tool"][0]
    [[version, _]] = _ask(player, "GET", f"tool/{tool_id}/tool_versions")["tool_versions"]
    body = {"tool_version_id": version, "task_template_name": name}
    template = _ask(player, "POST", "task_template", body)
    with _unseen("BatchGetItem", f"TEMPLATE#{name}", times=2):
        assert _ask(player, "POST", "task_template", body) == template
    path = f"task_template/{template['task_template_id']}/add_version"
    added = _ask(player, "POST", path, VERSION)
    with _unseen("BatchGetItem", "VERSION#", times=2):
        assert _ask(player, "POST", path, VERSION) == added


def what_is_bound_anew(player: Player) -> None:
    workflow_id = next(WORKFLOWS)
    array, [first, *_] = bind(player, workflow_id)
    row = [1, 1, array, 1, "t", "false", 3, False, {}, []]
    body = {"workflow_id": workflow_id, "tasks": {"1": row}}
    assert _ask(player, "PUT", "task/bind_tasks_no_args", body) == {"tasks": {"1": [first, "G"]}}


def what_is_bound_anew_after_it_expired(player: Player) -> None:
    workflow_id = next(WORKFLOWS)
    _, [first, *_] = bind(player, workflow_id)
    Task(*Task.key(first)).delete()
    assert bind(player, workflow_id)[1][0] > first


def what_somebody_else_queued_meanwhile(player: Player) -> None:
    array, tasks = bind(player, next(WORKFLOWS))
    body = {"task_ids": tasks, "task_resources_id": 1, "workflow_run_id": 1}
    others = [tasks[:3]]

    def queue_first(**_: Any) -> None:
        if others:
            _ask(player, "POST", f"array/{array}/queue_task_batch", body | {"task_ids": others.pop()})

    with listening("before-call.dynamodb.TransactWriteItems", queue_first):
        reply = _ask(player, "POST", f"array/{array}/queue_task_batch", body)
    assert reply == {"tasks_by_status": {"Q": tasks}}


def polls(player: Player) -> None:
    run, ids = run_with(player, "QIORTKXDEUZWF")
    for distributors in ("", "IO", "RI"):
        if distributors:
            run.move(*distributors)
        for status in POLLED:
            run.poll(status)
            run.poll(status, *ids)


def a_poll_that_sees_what_was_taken_meanwhile(player: Player) -> None:
    run, ids = run_with(player, "QQ")
    _ask(player, "POST", "task_instance/instantiate_task_instances", {"task_instance_ids": ids[:1]})
    assert run.poll("Q") == {"Q": ids[1:]}


def sweeps(player: Player) -> None:
    run, ids = run_with(player, "ORTKX", report_by_in=-1)
    with patch.object(sweeping, "LAUNCH_SECONDS", 0), patch.object(sweeping, "ABANDONED_SECONDS", 0):
        for _ in range(2):
            run.sweep()
    assert run.pairs(ids) == ["EG", "UG", "UG", "FF", "EG"]


def resumes(player: Player) -> None:
    for status in "CH":
        run, _ = run_with(player, "QIORTKX")
        assert run.move("I", "O", "R", status) == status
        assert run.terminate() > 0


def moves_of_a_run(player: Player) -> None:
    run = Run(player, linked_run(player))
    assert [run.move(status) for status in "DBIOI"] == list("LBIOO")
    for status in "RRI":
        assert run.send("POST", "log_heartbeat", status=status, next_report_increment=90) == (200, {"status": "R"})


def _held(player: Player, *moves: str) -> Run:
    """A run that holds its workflow, whose client is late, after some moves."""
    run, _ = run_with(player, "QIORK")
    load(Seed(workflows=[SeedWorkflow(workflow_id=run.id, status=WorkflowStatus.QUEUED, workflow_run_id=run.id)]))
    run.move("I", "O", "R", *moves)
    assert run.send("POST", "log_heartbeat", status="R", next_report_increment=-1)[0] == 200
    return run


def takes_a_workflow_over(player: Player) -> None:
    cold = {"reset_running_jobs": True}
    assert _ask(player, "POST", f"workflow/{_held(player).id}/set_resume", cold) == {}
    assert _ask(player, "GET", f"workflow/{_held(player, 'C').id}/is_resumable")["workflow_is_resumable"]
    assert _ask(player, "POST", f"task/{_held(player, 'C').id}/set_resume_state", {"reset_if_running": True}) == {}
    cleaned = _ask(player, "POST", f"workflow/{_held(player, 'C').id}/force_cleanup_kill_self", {})
    assert cleaned == {"num_cleaned_up": 3, "num_workflow_runs_finalized": 1}, cleaned
    body = {"workflow_id": _held(player, "C").id, "next_report_increment": 90}
    assert _ask(player, "POST", "workflow_run", body)["status"] == "L"
    assert _held(player, "C", "D").move("T") == "T"
    for status, stands in (("D", "C"), ("T", "T")):
        beat = {"status": status, "next_report_increment": 90}
        assert _held(player, "C").send("POST", "log_heartbeat", **beat) == (200, {"status": stands})


def looks_after_what_an_earlier_run_left(player: Player) -> None:
    workflow_id = _held(player).id
    assert _ask(player, "POST", f"workflow/{workflow_id}/set_resume", {"reset_running_jobs": False}) == {}
    body = {"workflow_id": workflow_id, "next_report_increment": 90}
    run = Run(player, _ask(player, "POST", "workflow_run", body)["workflow_run_id"])
    with patch.object(earlier, "SURE_AFTER_SECONDS", 0), patch.object(earlier, "is_left", lambda _: False):
        for _ in range(2):
            run.sweep()
    run.sweep()


def starts_over_in_parts(player: Player) -> None:
    workflow_id = next(WORKFLOWS)
    bind(player, workflow_id)
    body = {"reset_if_running": True}
    with patch.object(cursor, "GROUP", 1), patch.object(Deadline, "spent", lambda *_: True):
        assert player.send("POST", f"/api/v3/task/{workflow_id}/set_resume_state", json.dumps(body))[0] == 503
    assert _ask(player, "POST", f"task/{workflow_id}/set_resume_state", body) == {}


def reads_in_parts_what_is_left(player: Player) -> None:
    workflow_id = next(WORKFLOWS)
    _, [first, second, *_] = bind(player, workflow_id)
    with request():
        put(Task(*Task.key(first)), TaskStatus.DONE)
    path, page = f"/api/v3/workflow/get_tasks/{workflow_id}", {"max_task_id": "0", "chunk_size": "1"}
    with patch.object(left, "KEYS_PER_READ", 1):
        with patch.object(Deadline, "spent", lambda *_: True):
            assert player.send("GET", path, **page)[0] == 503
        assert list(player.send("GET", path, **page)[1]["tasks"]) == [str(second)]


def binds_a_dag(player: Player) -> None:
    """A node with a long list of neighbours above it and below it, and a task of it."""
    _ask(player, "POST", "nodes", {"nodes": [{"task_template_version_id": 1, "node_args_hash": "7", "node_args": {}}]})
    for made in (False, True):
        dag = _ask(player, "POST", "dag", {"dag_hash": 2**61 - 5})
        assert (dag["created_date"] is not None) == made
        neighbours = list(range(1, 301))
        edge = {"node_id": 1, "upstream_node_ids": neighbours, "downstream_node_ids": neighbours}
        body = {"edges_to_add": [edge], "mark_created": True}
        assert _ask(player, "POST", f"dag/{dag['dag_id']}/edges", body) == {}
    _, [task, *_] = bind(player, next(WORKFLOWS))
    reply = _ask(player, "POST", "task/get_downstream_tasks", {"task_ids": [task], "dag_id": dag["dag_id"]})
    assert reply == {"downstream_tasks": {str(task): [1, json.dumps(neighbours)]}}


def asks_who_calls(_: Player) -> None:
    token = make(Grant("test", Scope.WORKER), 1, os.environ["SIGNING_KEYS"])
    event = {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": "arn:api/v1/GET/api/v3/health"}
    reply = json.loads(gateway.invoke(gateway.load_handler("authorizer"), json.dumps(event), "authorizer"))
    assert reply["principalId"] == "test"


def tells_of_a_change(_: Player) -> None:
    records = json.dumps([record(task("D"), task("R"))])
    [event] = json.loads(gateway.invoke(gateway.load_handler("tell_changes"), records, "tell_changes"))
    assert event["detail"]["to"] == "D"


def looks_for_a_step_with_a_token_for_one_run(player: Player) -> None:
    run, [first] = run_with(player, "O")
    event = read("get_array_task_instance_id")
    event["pathParameters"] = {"array_id": str(run.id), "batch_num": "1", "step_id": "0"}
    event["requestContext"]["authorizer"] |= {"workflow_run_id": str(run.id)}
    assert send("get_array_task_instance_id", event) == (200, {"task_instance_id": first})


SCENARIOS: Final[tuple[Scenario, ...]] = (
    every_event,
    reports_and_the_same_ones_again,
    a_start_that_reads_twice_and_has_directories_of_its_own,
    a_start_of_a_later_attempt_with_a_long_command,
    a_resume_of_a_task_with_a_long_command,
    promises_to_report_soon,
    an_error_log_with_a_long_text,
    a_task_whose_latest_attempts_have_no_error,
    heartbeats,
    an_index_that_lags,
    taken_instances,
    what_an_earlier_distributor_took,
    more_than_is_written_unread,
    more_than_is_put_unread,
    what_ended_under_another_name,
    what_somebody_else_bound_meanwhile,
    tools_that_somebody_else_bound_meanwhile,
    what_is_bound_anew,
    what_is_bound_anew_after_it_expired,
    what_somebody_else_queued_meanwhile,
    polls,
    a_poll_that_sees_what_was_taken_meanwhile,
    sweeps,
    resumes,
    moves_of_a_run,
    takes_a_workflow_over,
    looks_after_what_an_earlier_run_left,
    starts_over_in_parts,
    reads_in_parts_what_is_left,
    binds_a_dag,
    asks_who_calls,
    tells_of_a_change,
    looks_for_a_step_with_a_token_for_one_run,
)


def _ask(player: Player, method: str, path: str, body: Any = None) -> Any:
    status, reply = player.send(method, f"/api/v3/{path}", None if body is None else json.dumps(body))
    assert status == 200, (path, reply)
    return reply


@contextmanager
def _unseen(operation: str, key: str, times: int = 1) -> Iterator[None]:
    """The next replies that hold an item whose key holds these words come without it, as if it were too new."""
    left = [None] * times

    def hide(parsed: dict[str, Any], **_: Any) -> None:
        pages = [parsed["Items"]] if "Items" in parsed else list(parsed.get("Responses", {}).values())
        for items in pages:
            shown = [item for item in items if key not in item["pk"]["S"] + item["sk"]["S"]]
            if left and len(shown) < len(items):
                left.pop()
                items[:] = shown

    with listening(f"after-call.dynamodb.{operation}", hide):
        yield
    assert not left
