"""What the routes answer to what does not fit: never a 5xx, always the field, and nothing is changed."""

import json
import socket
from typing import Any

import httpx
import pytest

from lockstep.http import request
from lockstep.http.fields import MAX_IDS_PER_CALL
from tests.conformance.recording import Player
from tests.support.seeding import running

ARRAY = {"workflow_id": 1, "task_template_version_id": 1, "max_concurrently_running": 1, "name": "a"}
QUEUE: dict[str, Any] = {"task_ids": [], "task_resources_id": 1, "workflow_run_id": 1}


@pytest.mark.parametrize("increment", ["NaN", "Infinity", "1e400", "1e10", '"soon"', "[]"])
def test_an_increment_that_is_no_time(api: httpx.Client, increment: str) -> None:
    instance = running()
    before = api.get(f"/task_instance/{instance}").json()
    reply = api.post(f"/task_instance/{instance}/log_report_by", content=f'{{"next_report_increment": {increment}}}')
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["field"] == "next_report_increment"
    assert api.get(f"/task_instance/{instance}").json() == before


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_a_number_that_is_none_is_no_text(api: httpx.Client, number: str) -> None:
    instance = running(nodename="before")
    reply = api.post(f"/task_instance/{instance}/log_done", content=f'{{"nodename": {number}}}')
    assert reply.status_code == 422, "nobody called himself inf"
    assert [error["field"] for error in reply.json()["errors"]] == ["nodename"]
    assert api.get(f"/task_instance/{instance}").json()["task_instance"]["nodename"] == "before"


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


def test_too_many_ids(api: httpx.Client) -> None:
    reply = api.post(
        "/task_instance/log_report_by/batch",
        json={"task_instance_ids": list(range(MAX_IDS_PER_CALL + 1)), "next_report_increment": 1},
    )
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["field"] == "task_instance_ids"


@pytest.mark.parametrize(
    "text",
    ["", "😀" * 1000, "a\x00b", "\ud800", "tail \udfff", "\x10d800", "naïve\r\n\u2028"],
    ids=lambda text: repr(text[:8]).encode("ascii", "backslashreplace").decode(),
)
def test_any_text_comes_back(api: httpx.Client, text: str) -> None:
    instance = running()
    body = {"error_state": "E", "error_description": text, "stdout_log": text, "nodename": text[:20]}
    reply = api.post(f"/task_instance/{instance}/log_error_worker_node", content=_ascii_json(body))
    assert reply.json() == {"status": "E"}
    stands = api.get(f"/task_instance/{instance}").json()["task_instance"]
    assert (stands["stdout_log"], stands["nodename"]) == (text, text[:20])
    [[_, _, description]] = api.get(f"/task_instance/{instance}/task_instance_error_log").json()[
        "task_instance_error_log"
    ]
    assert description == text


def _ascii_json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


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


def test_a_body_past_the_gateways_limit(api: httpx.Client) -> None:
    reply = api.post(f"/task_instance/{running()}/log_done", content=b"x" * (10 * 1024 * 1024 + 1))
    assert reply.status_code == 413


def test_a_route_that_there_is_not(api: httpx.Client) -> None:
    assert api.get("/nonsense").status_code == 403
    assert api.delete(f"/task_instance/{running()}/log_done").status_code == 403


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


def test_a_command_too_long_to_keep_is_named(api: httpx.Client) -> None:
    array = api.post("/array", json=ARRAY).json()["array_id"]
    row = [1, 1, array, 1, "t", "x" * 300_001, 3, False, {}, []]
    reply = api.put("/task/bind_tasks_no_args", json={"workflow_id": 1, "tasks": {"t1": row}})
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["field"].startswith("tasks.t1.")


def test_many_long_commands_share_transactions(api: httpx.Client) -> None:
    array = api.post("/array", json=ARRAY | {"workflow_id": 2}).json()["array_id"]
    tasks = {str(node): [node, node, array, 1, "t", "x" * 290_000, 3, False, {}, []] for node in range(1, 16)}
    reply = api.put("/task/bind_tasks_no_args", json={"workflow_id": 2, "tasks": tasks})
    assert reply.status_code == 200, reply.text
    assert {status for _, status in reply.json()["tasks"].values()} == {"G"}


def test_a_reply_that_names_fields_stays_small(api: httpx.Client) -> None:
    rows: dict[str, list[Any]] = {f"task {number}" + "x" * 200: [{}] for number in range(2_000)}
    long_name: dict[str, list[Any]] = {"x" * 1_000_000: [{}, {}, {}]}
    for tasks in (rows, long_name):
        reply = api.put("/task/bind_tasks_no_args", json={"workflow_id": 1, "tasks": tasks})
        assert reply.status_code == 422
        assert len(reply.content) < 50_000


def test_numbers_that_no_key_can_hold(api: httpx.Client) -> None:
    huge = 10**1500
    for route, body in {
        "transition_to_killed": {"batch_number": huge},
        "transition_to_launched": {"batch_number": huge, "next_report_increment": 1},
        "queue_task_batch": {"task_ids": [1], "task_resources_id": huge, "workflow_run_id": 1},
    }.items():
        reply = api.post(f"/array/1/{route}", json=body)
        assert reply.status_code == 422
    ids = {"task_instance_ids": [huge, -huge], "next_report_increment": 1}
    assert api.post("/task_instance/log_report_by/batch", json=ids).json() == {}
    assert api.post("/array/1/queue_task_batch", json=QUEUE | {"task_ids": [huge]}).json() == {"tasks_by_status": {}}
    many = {str(number * 1000 + 1): "7" for number in range(1, MAX_IDS_PER_CALL + 2)}
    assert api.post("/array/1/log_distributor_id", json=many).status_code == 422


def test_a_request_that_breaks_off_is_not_carried_out(api: httpx.Client) -> None:
    instance = running()
    url = httpx.URL(str(api.base_url))
    with socket.create_connection((url.host, url.port or 80)) as line:
        path = f"/api/v3/task_instance/{instance}/log_done"
        line.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{{}}".encode())
    assert api.get("/health").status_code == 200
    assert api.get(f"/task_instance/{instance}").json()["task_instance"]["status"] == "R"
