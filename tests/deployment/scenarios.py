"""What makes each function ask all that it can ask of AWS: every event in events/, and the paths that none takes.

tests/deployment/drive.py drives the scenarios of tests/verification/faults, too.
"""

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
from lockstep.clock import Deadline
from lockstep.context import request
from lockstep.dynamodb import puts
from lockstep.fsm.statuses import TaskStatus, WorkflowStatus
from lockstep.task.item import Task
from lockstep.task_instance import bulk
from lockstep.workflow import left
from lockstep.workflow.bind import ATTRIBUTES_PER_TRANSACTION
from lockstep.workflow_run import instantiate, leftovers
from ops.token import make
from tests.conformance.recording import Player, put
from tests.conformance.test_events import send
from tests.support.answers import listening
from tests.support.changes import task
from tests.support.seeding import LONG_COMMAND, pair, running
from tests.support.tools import a_template, add_version, ask
from tests.support.workflows import Run, run_with
from tests.verification.test_engine_faults import CLAIM, WORKFLOWS, bind

Scenario = Callable[[Player], None]


def every_event(_: Player) -> None:
    load(Seed.model_validate_json(SEED.read_bytes()))
    for name, case in cases().items():
        if case.after:
            send(case.after, read(case.after))
        assert send(name, read(name))[0] == case.status, name


def a_start_of_a_later_attempt_with_a_long_command(player: Player) -> None:
    instance = pair("O", "O", attempt=2, task={"command": LONG_COMMAND})
    row = ask(player, "POST", f"/task_instance/{instance}/log_running", CLAIM)["task_instance"]
    assert (row[1], row[5]) == ("R", LONG_COMMAND)


def an_error_log_with_a_long_text(player: Player) -> None:
    instance = running(errors=["x" * 5_000])
    ask(player, "GET", f"/task_instance/{instance}/task_instance_error_log")


def a_task_whose_latest_attempts_have_no_error(player: Player) -> None:
    task_id = pair("R", "R", attempt=3) // 1000
    assert ask(player, "GET", f"/task/{task_id}/most_recent_ti_error")["task_instance_id"] is None


def what_an_earlier_distributor_took(player: Player) -> None:
    run, ids = run_with(player, "I")
    run.move("I", "O", "I")
    for _ in range(2):
        reply = ask(player, "POST", "/task_instance/instantiate_task_instances", {"task_instance_ids": ids})
        assert [taken for *_, taken in reply["task_instance_batches"]] == [ids]


def more_than_is_written_unread(player: Player) -> None:
    run, ids = run_with(player, "OOO")
    with patch.object(bulk, "WRITTEN_UNREAD", 2):
        body = {"task_instance_ids": ids, "next_report_increment": 90}
        assert ask(player, "POST", "/task_instance/log_report_by/batch", body) == {}
        jobs = {str(number): f"7_{number}" for number in ids}
        assert ask(player, "POST", f"/array/{run.id}/log_distributor_id", jobs) == {"success": True}


def more_than_is_taken_at_once(player: Player) -> None:
    _, ids = run_with(player, "QQQ")
    with patch.object(instantiate, "TAKEN_AT_ONCE", 2):
        reply = ask(player, "POST", "/task_instance/instantiate_task_instances", {"task_instance_ids": ids})
    assert [taken for *_, taken in reply["task_instance_batches"]] == [ids]


def more_than_is_put_unread(player: Player) -> None:
    _, tasks = bind(player, next(WORKFLOWS))
    with patch.object(puts, "PUT_UNREAD", 1):
        for _ in range(2):
            noted = {"task_attributes": {str(number): {"a": "b"} for number in tasks}}
            assert ask(player, "PUT", "/task/bind_task_attributes", noted) == {}
            kept = {"task_args": [[number * 500, 1, "x"] for number in tasks]}
            assert ask(player, "PUT", "/task/bind_task_args", kept) == {}
            nodes = [
                {"task_template_version_id": number, "node_args_hash": "1", "node_args": {"1": "x"}}
                for number in (1, 2)
            ]
            assert ask(player, "POST", "/nodes", {"nodes": nodes})["nodes"].keys() == {"1:1", "2:1"}


def more_attributes_than_a_transaction_holds(player: Player) -> None:
    tool_id = ask(player, "POST", "/tool", {"name": "of many attributes"})["tool"][0]
    [[version_id, _]] = ask(player, "GET", f"/tool/{tool_id}/tool_versions")["tool_versions"]
    dag_id = ask(player, "POST", "/dag", {"dag_hash": 2**61 - 7})["dag_id"]
    key = {"tool_version_id": version_id, "dag_id": dag_id, "workflow_args_hash": "1", "task_hash": "1"}
    first, second = (
        {"workflow_attributes": dict.fromkeys(map(str, range(ATTRIBUTES_PER_TRANSACTION + 2)), value)}
        for value in ("first", "second")
    )
    nothing: dict[str, Any] = {"workflow_attributes": {}}
    with patch.object(puts, "PUT_UNREAD", 1):
        for _ in range(2):
            workflow_id = ask(player, "POST", "/workflow", key | first)["workflow_id"]
        for body in (second, nothing):
            assert ask(player, "PUT", f"/workflow/{workflow_id}/workflow_attributes", body) == {}


def a_version_that_somebody_else_added_meanwhile(player: Player) -> None:
    """Two reads miss it, and the write finds it."""
    template = a_template(player)
    added = add_version(player, template.id)
    with _unseen("BatchGetItem", "VERSION#", times=2):
        assert add_version(player, template.id) == added


def a_poll_that_sees_what_was_taken_meanwhile(player: Player) -> None:
    run, ids = run_with(player, "QQ")
    ask(player, "POST", "/task_instance/instantiate_task_instances", {"task_instance_ids": ids[:1]})
    assert run.poll("Q") == {"Q": ids[1:]}


def _held(player: Player, *moves: str) -> Run:
    """A run that holds its workflow, whose client is late, after some moves."""
    run, _ = run_with(player, "QIORK")
    load(Seed(workflows=[SeedWorkflow(workflow_id=run.id, status=WorkflowStatus.QUEUED, workflow_run_id=run.id)]))
    run.move("I", "O", "R", *moves)
    assert run.send("POST", "log_heartbeat", status="R", next_report_increment=-1)[0] == 200
    return run


def lets_a_workflow_go(player: Player) -> None:
    assert _held(player, "C", "D").move("T") == "T"
    for status, stands in (("D", "C"), ("T", "T")):
        beat = {"status": status, "next_report_increment": 90}
        assert _held(player, "C").send("POST", "log_heartbeat", **beat) == (200, {"status": stands})


def takes_over_more_than_a_call_looks_at(player: Player) -> None:
    workflow_id = _held(player).id
    assert ask(player, "POST", f"/workflow/{workflow_id}/set_resume", {"reset_running_jobs": True}) == {}
    with patch.object(leftovers, "_ENOUGH_UNNOTED", 0.0):
        assert ask(player, "GET", f"/workflow/{workflow_id}/is_resumable")["workflow_is_resumable"]


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
    a_start_of_a_later_attempt_with_a_long_command,
    an_error_log_with_a_long_text,
    a_task_whose_latest_attempts_have_no_error,
    what_an_earlier_distributor_took,
    more_than_is_written_unread,
    more_than_is_taken_at_once,
    more_than_is_put_unread,
    more_attributes_than_a_transaction_holds,
    a_version_that_somebody_else_added_meanwhile,
    a_poll_that_sees_what_was_taken_meanwhile,
    lets_a_workflow_go,
    takes_over_more_than_a_call_looks_at,
    reads_in_parts_what_is_left,
    asks_who_calls,
    tells_of_a_change,
    looks_for_a_step_with_a_token_for_one_run,
)


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
