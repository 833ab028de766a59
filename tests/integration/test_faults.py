"""What DynamoDB may do to a write, and what the caller hears. No engine answers so: it is put in its mouth."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError

from local.engine import dynamodb
from local.template import ROOT
from lockstep import clock
from lockstep.table import connection
from tests.integration.seeding import running
from tests.replay.recording import Player


@pytest.fixture
def player(table: str) -> Player:
    assert table
    return Player()


@contextmanager
def answering(operation: str, *answers: Any) -> Iterator[list[Any]]:
    """DynamoDB's next answers to an operation; None lets the real one through. Yields those that are left."""
    left = list(answers)

    def answer(request: AWSRequest, **_: Any) -> AWSResponse | None:
        given = left.pop(0) if left else None
        if isinstance(given, Exception):
            raise given
        return _response(request, given) if given else None

    events = connection().client.meta.events
    events.register(f"before-send.dynamodb.{operation}", answer)
    try:
        yield left
    finally:
        events.unregister(f"before-send.dynamodb.{operation}", answer)


def _response(request: AWSRequest, body: dict[str, Any]) -> AWSResponse:
    raw = io.BytesIO(json.dumps(body).encode())
    raw.stream = lambda **_: iter([raw.getvalue()])  # type: ignore[attr-defined]  # as urllib3's responses have it
    return AWSResponse(request.url, 400, {"content-type": "application/x-amz-json-1.0"}, raw)


def error(code: str) -> dict[str, Any]:
    return {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code}


def cancelled(*codes: str) -> dict[str, Any]:
    return error("TransactionCanceledException") | {"CancellationReasons": [{"Code": code} for code in codes]}


CONFLICT = cancelled("TransactionConflict", "None")
AGAIN = {
    "a conflict on the instance": CONFLICT,
    "a conflict on the task": cancelled("None", "TransactionConflict"),
    "a throttled part": cancelled("ThrottlingError", "None"),
    "a throttled transaction": error("ThrottlingException"),
    "a transaction in progress": error("TransactionInProgressException"),
    "an error of theirs": error("InternalServerError"),
}


@pytest.mark.parametrize("answer", AGAIN.values(), ids=AGAIN)
def test_what_passes_is_tried_again(player: Player, answer: dict[str, Any]) -> None:
    instance = running()
    with answering("TransactWriteItems", answer, answer) as left:
        assert done(player, instance) == (200, {"status": "D"})
    assert not left
    assert player.whole(instance)["task"]["status"] == "D"


@pytest.mark.parametrize("answer", AGAIN.values(), ids=AGAIN)
def test_what_does_not_pass_is_a_503(player: Player, answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    instance = running()
    with answering("TransactWriteItems", answer, answer) as left:
        monkeypatch.setattr(clock.Deadline, "passed", lambda _: not left)
        status, problem = done(player, instance)
    monkeypatch.undo()
    assert (status, problem["status"], problem["title"]) == (503, 503, "Service Unavailable")
    assert player.whole(instance)["task_instance"]["status"] == "R"


def test_contention_ends_in_a_503(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = cancelled("ConditionalCheckFailed", "None")
    lost["CancellationReasons"][0]["Item"] = {"pk": {"S": "TASK#1"}, "sk": {"S": "TI#001"}, "status": {"S": "R"}}
    with answering("TransactWriteItems", lost) as left:
        monkeypatch.setattr(clock.Deadline, "passed", lambda _: not left)
        status, problem = done(player, running())
    assert status == 503
    assert "changing the same instances" in problem["detail"]


def test_a_lost_reply_is_asked_for_again_under_the_same_token(player: Player) -> None:
    instance = running()
    with answering("TransactWriteItems", ReadTimeoutError(endpoint_url="x")) as left:
        assert done(player, instance) == (200, {"status": "D"})
    assert not left


def test_silence_is_a_503_and_the_same_report_again_is_safe(player: Player) -> None:
    instance = running()
    silence = ReadTimeoutError(endpoint_url="x")
    with answering("TransactWriteItems", silence, silence):
        status, problem = done(player, instance)
    assert status == 503
    assert "cannot reach the table" in problem["detail"]
    assert done(player, instance) == (200, {"status": "D"})


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


def done(player: Player, instance: int) -> tuple[int, Any]:
    return player.send("POST", f"/api/v3/task_instance/{instance}/log_done", "{}")


def test_engine_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    ready = tmp_path / "ready.json"
    with dynamodb("lockstep") as endpoint:
        environment = os.environ | {
            "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "PYTHONPATH": os.pathsep.join((".", "shared")),
        }
        serving = subprocess.Popen(
            [sys.executable, "-m", "local.run", "--port", "0", "--ready-file", ready],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert serving.stdout
        assert serving.stdout.readline().startswith("Lockstep serves")
    with serving:
        url = json.loads(ready.read_text())["api"] + "/api/v3/task_instance/1001/log_done"
        reply = httpx.post(url, json={}, timeout=15)
        assert reply.status_code == 503
        assert reply.headers["content-type"] == "application/json"
        assert reply.json()["title"] == "Service Unavailable"
        line = json.loads(serving.stdout.readline())
        assert line["status"] == 503
        assert "cannot reach the table" in line["why"]
        assert line["task_instance_id"] == "1001"
        serving.terminate()
        assert serving.wait() == 0
