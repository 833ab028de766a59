"""The gateway is as honest as API Gateway: what a function gets to see, and what is answered in its stead."""

import asyncio
import json
import re
import threading
from typing import Any

import httpx
import pytest

from local import gateway
from local.document import OPENAPI
from local.gateway import MAX_BODY_BYTES, Gateway, Handler
from local.meter import Meter
from lockstep.http import reply as replies
from tests.support import described

URL = "http://local"
Events = list[dict[str, Any]]


def ask(
    monkeypatch: pytest.MonkeyPatch, handler: Handler, method: str, path: str, timeout: float = 29.0, **given: Any
) -> httpx.Response:
    """The gateway's reply where every function is this one."""
    monkeypatch.setattr(gateway, "load_handler", lambda _: handler)
    return ask_the_api(method, path, timeout, **given)


def ask_the_api(method: str, path: str, timeout: float = 29.0, **given: Any) -> httpx.Response:
    """The gateway's reply."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=Gateway(Meter(), timeout))  # type: ignore[arg-type]  # dicts for typed dicts
        async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
            return await client.request(method, path, **given)

    return asyncio.run(send())


def echo(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A function that answers what it was given."""
    assert context.aws_request_id
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(event)}


def test_a_function_sees_a_proxy_event(monkeypatch: pytest.MonkeyPatch) -> None:
    headers = [("X-One", "1"), ("X-Two", "a"), ("X-Two", "b")]
    path = "/v1/api/v3/task_instance/42/log_done?client_jobmon_version=3&tag=x&tag=y&empty="
    event = ask(monkeypatch, echo, "POST", path, headers=headers, content="{}").json()
    assert event["resource"] == "/api/v3/task_instance/{task_instance_id}/log_done"
    assert (event["path"], event["httpMethod"]) == ("/api/v3/task_instance/42/log_done", "POST")
    assert event["pathParameters"] == {"task_instance_id": "42"}
    assert event["multiValueHeaders"]["x-two"] == ["a", "b"]
    assert (event["headers"]["x-one"], event["headers"]["x-two"]) == ("1", "b")
    assert event["queryStringParameters"] == {"client_jobmon_version": "3", "tag": "y", "empty": ""}
    assert event["multiValueQueryStringParameters"]["tag"] == ["x", "y"]
    assert (event["body"], event["isBase64Encoded"]) == ("e30=", True), "template.yaml: every media type is binary"
    assert event["requestContext"]["stage"] == "v1"
    assert event["requestContext"]["resourcePath"] == event["resource"]


def test_a_request_without_a_body_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    event = ask(monkeypatch, echo, "GET", "/api/v3/health").json()
    assert (event["body"], event["isBase64Encoded"]) == (None, False)
    assert event["queryStringParameters"] is None
    assert event["pathParameters"] is None


def test_bytes_that_are_no_text_go_in_base64_too(monkeypatch: pytest.MonkeyPatch) -> None:
    event = ask(monkeypatch, echo, "POST", "/api/v3/task_instance/42/log_done", content=b"\xff\x00").json()
    assert (event["body"], event["isBase64Encoded"]) == ("/wA=", True)


def test_a_base64_reply_goes_out_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    def bytes_out(_: dict[str, Any], __: Any) -> dict[str, Any]:
        many = {"Set-Cookie": ["a", "b"]}
        return {"statusCode": 201, "multiValueHeaders": many, "body": "/wA=", "isBase64Encoded": True}

    reply = ask(monkeypatch, bytes_out, "GET", "/api/v3/health")
    assert (reply.status_code, reply.content) == (201, b"\xff\x00")
    assert reply.headers.get_list("set-cookie") == ["a", "b"]


@pytest.mark.parametrize(
    "reply",
    [None, "text", {}, {"statusCode": "x"}, {"statusCode": 200, "body": {"a": 1}}, {"statusCode": 200, "body": {1, 2}}],
    ids=repr,
)
def test_what_is_no_reply_is_a_503(monkeypatch: pytest.MonkeyPatch, reply: Any) -> None:
    answer = ask(monkeypatch, lambda _, __: reply, "GET", "/api/v3/health")
    assert (answer.status_code, answer.json()["status"]) == (503, 503)
    assert answer.headers["content-type"] == "application/json"


def test_a_function_that_raises_is_a_503(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: dict[str, Any], __: Any) -> dict[str, Any]:
        raise RuntimeError("secret")

    answer = ask(monkeypatch, broken, "GET", "/api/v3/health")
    assert answer.status_code == 503
    assert "secret" not in answer.text


def test_a_function_that_takes_too_long_is_a_503(monkeypatch: pytest.MonkeyPatch) -> None:
    late = threading.Event()

    def slow(_: dict[str, Any], __: Any) -> dict[str, Any]:
        late.wait()
        return {"statusCode": 200, "body": ""}

    try:
        answer = ask(monkeypatch, slow, "GET", "/api/v3/health", timeout=0.01)
    finally:
        late.set()
    assert (answer.status_code, answer.json()["detail"]) == (503, "Endpoint request timed out")


@pytest.mark.parametrize("character", [b"x", b'"', b"\n", b"\x00", b"\xff"])
@pytest.mark.parametrize(("size", "status"), [(4_600_000, 200), (4_718_592, 413), (10_485_761, 413)])
def test_sizes(monkeypatch: pytest.MonkeyPatch, size: int, status: int, character: bytes) -> None:
    """A function is invoked with 6 MB at most, whatever the body holds; API Gateway takes 10 MB."""

    def fine(_: dict[str, Any], __: Any) -> dict[str, Any]:
        return {"statusCode": 200, "body": ""}

    reply = ask(monkeypatch, fine, "POST", "/api/v3/task_instance/42/log_done", content=character * size)
    assert reply.status_code == status


@pytest.mark.parametrize(
    "body",
    ["x" * replies.MAX_REPLY_BYTES, '"' * (replies.MAX_REPLY_BYTES // 2), "\u00e9" * (replies.MAX_REPLY_BYTES // 6)],
    ids=["plain", "escaped twice", "not ASCII"],
)
def test_a_reply_is_measured_as_lambda_carries_it(monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """What the layer measures is what the gateway refuses."""

    def answering(said: str) -> Handler:
        return lambda _, __: replies.for_gateway(replies.Answer(200, said))

    assert replies.fits(body)
    assert ask(monkeypatch, answering(body), "GET", "/api/v3/health").status_code == 200
    beyond = body + body[: len(body) // 100]
    assert not replies.fits(beyond)
    assert ask(monkeypatch, answering(beyond), "GET", "/api/v3/health").status_code == 503


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nonsense"), ("DELETE", "/api/v3/health"), ("GET", "/v2/api/v3/health"), ("GET", "/api/v3/health/more")],
)
def test_no_such_route_is_a_403(monkeypatch: pytest.MonkeyPatch, method: str, path: str) -> None:
    reply = ask(monkeypatch, echo, method, path)
    assert (reply.status_code, reply.json()["status"], reply.json()["title"]) == (403, 403, "Forbidden")


def test_it_serves_its_own_document() -> None:
    reply = ask_the_api("GET", "/openapi.json")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json() == json.loads(OPENAPI.read_text(encoding="utf-8")) | {"servers": [{"url": "/"}]}


def test_its_page_shows_the_document_and_needs_nothing_from_elsewhere() -> None:
    page = ask_the_api("GET", "/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert 'url: "/openapi.json"' in page.text
    assert "//" not in page.text
    parts = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    media_types = {path: ask_the_api("GET", path).headers["content-type"] for path in parts}
    assert media_types == {
        "/docs/swagger-ui.css": "text/css; charset=utf-8",
        "/docs/swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    }
    assert b"SwaggerUIBundle" in ask_the_api("GET", "/docs/swagger-ui-bundle.js").content


@pytest.mark.parametrize(
    "path",
    [
        "/docs/",
        "/docs/LICENSE",
        "/docs/../../../pyproject.toml",
        "/docs/%2e%2e/core.py",
        "/docs/..%2fcore.py",
        "/docs/%2fetc%2fpasswd",
        "/docs/swagger-ui.css/../../core.py",
        "/docs/swagger-ui.css%00",
    ],
)
def test_its_page_gives_away_no_other_file(path: str) -> None:
    assert ask_the_api("GET", path).status_code == 403


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_its_page_and_document_are_for_reading(path: str) -> None:
    assert ask_the_api("POST", path).status_code == 403


def test_what_is_too_large_is_a_problem() -> None:
    reply = ask_the_api("POST", "/api/v3/task_instance/42/log_done", content=b"x" * (MAX_BODY_BYTES + 1))
    described.reply("log_done", reply.status_code).validate(reply.json())
    assert (reply.status_code, reply.json()["status"]) == (413, 413)
