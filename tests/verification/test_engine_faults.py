"""What DynamoDB may do to a write, and what the caller hears: what takes a real engine of it, tokens and indexes.

No engine answers so: it is put in its mouth. Every other fault at every call: tests/verification/faults.
"""

import gc
import json
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.httpsession import URLLib3Session

from local.engine import dynamodb
from local.template import ROOT
from lockstep import clock
from lockstep.context import request
from lockstep.dynamodb.client import reach
from sim import requests
from tests.conformance.recording import Player
from tests.support import linking
from tests.support.answers import answering, cancelled, error, listening
from tests.support.seeding import pair, running


def test_contention_ends_in_a_503(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = cancelled("ConditionalCheckFailed", "None")
    lost["CancellationReasons"][0]["Item"] = {"pk": {"S": "TASK#1"}, "sk": {"S": "TI#001"}, "status": {"S": "R"}}
    with answering("TransactWriteItems", lost) as left:
        monkeypatch.setattr(clock.Deadline, "passed", lambda _: not left)
        status, problem = done(player, running())
    assert status == 503
    assert "changing the same instances" in problem["detail"]


def test_a_table_that_is_not_there_is_a_503(player: Player) -> None:
    missing = error("ResourceNotFoundException")
    with answering("TransactWriteItems", missing):
        status, problem = done(player, running())
    assert status == 503
    assert "ResourceNotFoundException" in problem["detail"]


def test_a_defect_of_ours_is_a_500_that_says_nothing_of_its_cause(player: Player) -> None:
    with answering("TransactWriteItems", error("ValidationException")):
        status, problem = done(player, running())
    assert status == 500
    assert "ValidationException" not in json.dumps(problem)


@contextmanager
def losing(operation: str, *lost: Exception) -> Iterator[list[bytes]]:
    """DynamoDB carries the next requests of an operation out, and these are raised in their replies' stead.

    Yields the bodies of all requests of the operation.
    """
    left, sent = list(lost), []

    def carry_out(request: AWSPreparedRequest, **_: Any) -> None:
        sent.append(request.body)
        if left:
            reply = URLLib3Session().send(request)
            assert reply.status_code == 200, reply.text
            raise left.pop(0)

    with listening(f"before-send.dynamodb.{operation}", carry_out):
        yield sent


SILENCE = ReadTimeoutError(endpoint_url="x")
BOOM = {"error_state": "Z", "error_message": "boom"}
CLAIM = {"process_group_id": 7, "next_report_increment": 90, "nodename": "n"}
REPORTS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "log_done": ("RR", "TransactWriteItems", {"nodename": "n", "stdout_log": "o"}, {"status": "D"}),
    "log_error_worker_node": (
        "RR",
        "TransactWriteItems",
        {"error_state": "E", "error_description": "boom"},
        {"status": "E"},
    ),
    "log_known_error": ("TR", "TransactWriteItems", BOOM, {"message": ""}),
    "log_no_distributor_id": ("II", "TransactWriteItems", {"no_id_err_msg": "boom"}, {"message": ""}),
    "log_distributor_id": (
        "II",
        "TransactWriteItems",
        {"distributor_id": "7", "next_report_increment": 90},
        {"message": "Task instance transitioned to LAUNCHED"},
    ),
    "log_report_by": ("RR", "UpdateItem", {"next_report_increment": 90}, {"status": "R"}),
}


@pytest.mark.parametrize("route", REPORTS)
def test_a_write_whose_reply_is_lost_is_one_write(player: Player, route: str) -> None:
    stands, operation, body, reply = REPORTS[route]
    instance = pair(stands[0], stands[1])
    with losing(operation, SILENCE) as sent:
        told = player.send("POST", f"/api/v3/task_instance/{instance}/{route}", json.dumps(body))
    assert told == (200, reply)
    assert len(sent) > 1
    if operation == "TransactWriteItems":
        assert len({json.loads(body)["ClientRequestToken"] for body in sent}) == 1


def test_taken_is_answered_whatever_else_cancels_the_transaction(player: Player) -> None:
    """The instance is seen as I and the task is not seen at all: nobody may conclude that it was not taken."""
    instance = pair("I", "I")
    mixed = cancelled("None", "ConditionalCheckFailed", "TransactionConflict")
    key = {"pk": {"S": f"TASK#{instance // 1000}"}, "sk": {"S": "TI#001"}}
    stands = {"status": {"S": "I"}, "status_date": {"N": "1"}, "workflow_run_id": {"N": "1"}}
    mixed["CancellationReasons"][1]["Item"] = key | stands
    stale = {"status": {"S": "Q"}}
    with answering("TransactWriteItems", mixed), lagging_reads(stale):
        body = json.dumps({"task_instance_ids": [instance]})
        status, reply = player.send("POST", "/api/v3/task_instance/instantiate_task_instances", body)
    assert status == 200
    assert [batch[4] for batch in reply["task_instance_batches"]] == [[instance]]


@contextmanager
def lagging_reads(changes: dict[str, Any]) -> Iterator[None]:
    """Reads that lag behind: instances stand as they once did."""

    def lag(parsed: dict[str, Any], **_: Any) -> None:
        for items in parsed.get("Responses", {}).values():
            for item in items:
                if item["sk"]["S"].startswith("TI#"):
                    item.update(changes)

    with listening("after-call.dynamodb.BatchGetItem", lag):
        yield


def test_binding_again_finds_that_there_is_nothing_to_do(player: Player) -> None:
    workflow_id = next(WORKFLOWS)
    first = bind(player, workflow_id)
    with losing("TransactWriteItems") as sent:
        assert bind(player, workflow_id) == first
    assert not sent


def bind(player: Player, workflow_id: int) -> tuple[int, list[int]]:
    """A workflow's array and its 98 tasks: the same ones each time."""
    array = linking.ask(player, requests.create_array(workflow_id, "lost"))["array_id"]
    rows = [requests.task(node, array, 1, "true") for node in range(1, 99)]
    bound = linking.ask(player, requests.bind_tasks(workflow_id, rows))["tasks"]
    return array, sorted(task_id for task_id, _ in bound.values())


WORKFLOWS = count(5_000_000)


def done(player: Player, instance: int) -> tuple[int, Any]:
    return player.send("POST", f"/api/v3/task_instance/{instance}/log_done", "{}")


@contextmanager
def ended(program: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A program that has ended after the block, also where a check in it fails."""
    with program:
        try:
            yield program
        finally:
            program.kill()


def test_engine_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "local", "local.run", "--port", "0", "--log", "json", "--ready-file", str(ready)]
    with ExitStack() as until_the_end:
        with dynamodb("lockstep") as endpoint:
            environment = os.environ | {
                "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
                "POWERTOOLS_LOG_LEVEL": "INFO",
                "PYTHONPATH": os.pathsep.join((".", "shared")),
            }
            program = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, encoding="utf-8")
            serving = until_the_end.enter_context(ended(program))
            assert serving.stdout
            assert serving.stdout.readline().startswith("Lockstep serves")
        url = json.loads(ready.read_text(encoding="utf-8"))["api"] + "/api/v3/task_instance/1001/log_done"
        reply = httpx.post(url, json={}, timeout=15)
        assert reply.status_code == 503
        assert reply.headers["content-type"] == "application/json"
        assert reply.json()["title"] == "Service Unavailable"
        line = json.loads(next(printed for printed in serving.stdout if printed.startswith("{")))
        assert line["status"] == 503
        assert "cannot reach the table" in line["why"]
        assert line["task_instance_id"] == "1001"
        serving.terminate()
        assert serving.wait() == 128 + signal.SIGTERM


def test_a_try_that_failed_keeps_nothing_of_the_request(table: str) -> None:
    """A request may hold megabytes. What a cycle keeps stays until garbage is looked for, and a function has 512 MB."""
    assert table

    class Request:
        """What is sent."""

    def send(request: Request, times: Iterator[int]) -> Request:
        if next(times) < 2:
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, "Query")
        return request

    gc.disable()
    try:
        with request():
            sent = weakref.ref(reach(partial(send, Request(), count())))
        assert sent() is None
    finally:
        gc.enable()
