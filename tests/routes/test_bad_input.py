"""What the routes answer to what does not fit: never a 5xx, always the field, and nothing is changed."""

import json
from typing import Any

import httpx
import pytest

from lockstep.http import request
from lockstep.http.fields import MAX_IDS_PER_CALL
from tests.conformance.recording import Player
from tests.support.seeding import running

ARRAY = {"workflow_id": 1, "task_template_version_id": 1, "max_concurrently_running": 1, "name": "a"}
MANY = range(1_001, 1_000 * (MAX_IDS_PER_CALL + 2), 1_000)


def test_what_does_not_validate_changes_nothing(api: httpx.Client) -> None:
    instance = running(nodename="before")
    before = api.get(f"/task_instance/{instance}").json()
    for name, body in {
        "log_done": {"nodename": "after", "stdout": {}},
        "log_error_worker_node": {"nodename": "after", "error_state": "D", "error_description": "x"},
        "log_running": {"nodename": "after", "process_group_id": "x", "next_report_increment": 1},
        "log_known_error": {"nodename": "n" * 300, "error_state": "E", "error_message": "x"},
    }.items():
        assert api.post(f"/task_instance/{instance}/{name}", json=body).status_code == 422
    assert api.get(f"/task_instance/{instance}").json() == before


def _ascii_json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/task_instance/log_report_by/batch", {"task_instance_ids": [*MANY], "next_report_increment": 1}),
        ("/array/1/log_distributor_id", {str(number): "7" for number in MANY}),
    ],
    ids=["heartbeats", "distributor ids"],
)
def test_too_many_ids(api: httpx.Client, path: str, body: dict[str, Any]) -> None:
    assert api.post(path, json=body).status_code == 422


@pytest.mark.parametrize(
    ("character", "times"),
    [("x", 1_000_000), ("é", 700_000), ("😀", 350_000), ("\x00", 700_000)],
    ids=["1", "2", "4", "nul"],
)
def test_a_megabyte_is_cut_with_a_marker(api: httpx.Client, character: str, times: int) -> None:
    instance = running()
    said = "begin" + character * times + "end"
    body = {"error_state": "E", "error_description": said, "stdout_log": said[-20_000:]}
    reply = api.post(f"/task_instance/{instance}/log_error_worker_node", content=_ascii_json(body))
    assert reply.json() == {"status": "E"}
    log = api.get(f"/task_instance/{instance}/task_instance_error_log").json()["task_instance_error_log"]
    [[_, _, description]] = log
    assert description.startswith("begin" + character)
    assert description.endswith(character + "end")
    assert "characters left out" in description
    stdout_log = api.get(f"/task_instance/{instance}").json()["task_instance"]["stdout_log"]
    assert len(stdout_log) == 10_000
    assert stdout_log.endswith(character + "end")


def test_a_megabyte_for_an_instance_that_has_many(api: httpx.Client) -> None:
    """All entries together pass what one reply can hold: each is cut to its share."""
    instance = running()
    for number in range(16):
        said = f"{number:02d} " + "x" * 1_000_000
        body = {"error_state": "E", "error_description": said}
        assert api.post(f"/task_instance/{instance}/log_error_worker_node", json=body).status_code == 200
    reply = api.get(f"/task_instance/{instance}/task_instance_error_log")
    assert reply.status_code == 200
    assert [row[2][:2] for row in reply.json()["task_instance_error_log"]] == [f"{number:02d}" for number in range(16)]


def test_a_body_past_what_a_deployment_takes_changes_nothing(api: httpx.Client) -> None:
    instance = running()
    fits = json.dumps({"stdout_log": "x" * (request.MAX_BODY_BYTES - len('{"stdout_log": ""}'))})
    reply = api.post(f"/task_instance/{instance}/log_done", content=fits + " ")
    assert (reply.status_code, reply.json()["status"]) == (413, 413)
    assert "more than 4600000 bytes" in reply.json()["detail"]
    assert api.get(f"/task_instance/{instance}").json()["task_instance"]["status"] == "R"
    assert api.post(f"/task_instance/{instance}/log_done", content=fits).is_success


@pytest.mark.parametrize("most", [19, 20])
def test_what_a_deployment_takes_is_counted_in_bytes(table: str, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    assert table
    monkeypatch.setattr(request, "MAX_BODY_BYTES", most)
    body = '{"nodename": "αβ"}'
    code, _ = Player().send("POST", f"/api/v3/task_instance/{running()}/log_done", body)
    assert code == (200 if most == len(body.encode()) else 413)


@pytest.mark.parametrize("message", ["\n" * 2_100_000, '"' * 1_600_000], ids=["newlines", "quotes"])
def test_a_message_that_grows_when_it_is_escaped_is_recorded(api: httpx.Client, message: str) -> None:
    """Once more escaped, as text in an event, each would take more than 6 MB."""
    instance = running()
    body = {"error_state": "E", "error_description": message}
    assert api.post(f"/task_instance/{instance}/log_error_worker_node", json=body).json() == {"status": "E"}
    log = api.get(f"/task_instance/{instance}/task_instance_error_log").json()["task_instance_error_log"]
    [[_, _, said]] = log
    assert said.startswith(message[:1_000])
    assert "characters left out" in said


def test_a_stage_may_stand_before_the_path(api: httpx.Client) -> None:
    base = str(api.base_url).removesuffix("/api/v3/")
    assert httpx.get(f"{base}/v1/api/v3/health").json() == {"status": "OK"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ('{"memory": NaN}', "requested_resources"),
        ('{"stdout": "' + "x" * 5000 + '"}', "requested_resources"),
        ('{"notes": "' + "x" * 60_000 + '"}', "requested_resources"),
        ("[" * 50 + "]" * 50, "requested_resources"),
    ],
    ids=["NaN", "long path", "large", "list"],
)
def test_resources_that_cannot_be_kept(api: httpx.Client, wrong: str, field: str) -> None:
    reply = api.post("/task/bind_resources", content=f'{{"queue_id": 1, "requested_resources": {wrong}}}')
    assert reply.status_code == 422, reply.text
    assert [error["field"] for error in reply.json()["errors"]] == [field]


@pytest.mark.parametrize("depth", [150, 500, 5_000, 100_000])
def test_deep_json(api: httpx.Client, depth: int) -> None:
    nested = '{"a":' * depth + "1" + "}" * depth
    reply = api.post("/task/bind_resources", content=f'{{"queue_id": 1, "requested_resources": {nested}}}')
    assert reply.status_code in {200, 400, 422}, reply.text
    header = {"X-Server-Structlog-Context": '{"a":' * min(depth, 5_000) + "1" + "}" * min(depth, 5_000)}
    assert api.get("/health", headers=header).status_code == 200


def test_many_long_commands_share_transactions(api: httpx.Client) -> None:
    array = api.post("/array", json=ARRAY | {"workflow_id": 2}).json()["array_id"]
    tasks = {str(node): [node, node, array, 1, "t", "x" * 290_000, 3, False, {}, []] for node in range(1, 16)}
    reply = api.put("/task/bind_tasks_no_args", json={"workflow_id": 2, "tasks": tasks})
    assert reply.status_code == 200, reply.text
    assert {status for _, status in reply.json()["tasks"].values()} == {"G"}
