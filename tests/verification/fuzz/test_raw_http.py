"""What can arrive in a request is refused and changes nothing, or it is understood. uvicorn refuses what is no HTTP."""

import gzip
import http.client
import json
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final, NamedTuple

import httpx
import pytest

from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.http.request import MAX_BODY_BYTES
from tests.support import described
from tests.verification.fuzz.system import STEPS, System, instance_id

RUNNING: Final = instance_id(1, STEPS.index((TaskInstanceStatus.RUNNING, TaskStatus.RUNNING)))
HEARTBEAT: Final = f"/api/v3/task_instance/{RUNNING}/log_report_by"
DONE: Final = f"/api/v3/task_instance/{RUNNING}/log_done"
VIEW: Final = f"/api/v3/task_instance/{RUNNING}"
BODY: Final = b'{"next_report_increment": 5}'
MEGABYTE: Final = 1024 * 1024


class Sent(NamedTuple):
    """A request."""

    body: bytes = BODY
    method: str = "POST"
    target: str = HEARTBEAT
    headers: Mapping[str, str | bytes] = {}


class Heard(NamedTuple):
    """One reply."""

    status: int
    media_type: str | None
    body: bytes


def send(system: System, sent: Sent) -> Heard:
    """The reply, to a request that is sent as it is."""
    url = httpx.URL(system.url)
    with closing(http.client.HTTPConnection(url.host, url.port)) as line:
        line.request(sent.method, sent.target, sent.body, sent.headers)
        reply = line.getresponse()
        return Heard(reply.status, reply.getheader("content-type"), reply.read())


def heartbeat(increment: str) -> Sent:
    return Sent(b'{"next_report_increment": %s}' % increment.encode())


def view(system: System) -> Any:
    with system.client() as client:
        return client.get(VIEW.removeprefix("/api/v3")).json()


NESTED: Final = 100_000
SIZES: Final = {
    "10 MB": (Sent(BODY.rjust(10 * MEGABYTE)), 413),
    "past 6 MB once escaped": (Sent(b'{"stdout": "' + b"\\u0041" * MEGABYTE + b'"}'), 413),
    "past the limit in bytes, not in characters": (
        Sent(b'{"stdout": "' + "é".encode() * (MAX_BODY_BYTES // 2) + b'"}'),
        413,
    ),
}
JSON: Final = {
    "many brackets": (Sent(b"[" * NESTED + b"]" * NESTED), 400),
    "many brackets in a field nobody knows": (
        Sent(b'{"next_report_increment": 5, "a": ' + b"[" * NESTED + b"]" * NESTED + b"}"),
        400,
    ),
    "an object in an object, and so on": (Sent(b'{"a":' * NESTED + b"1" + b"}" * NESTED), 400),
    "the last of two keys does not fit": (Sent(b'{"next_report_increment": 5, "next_report_increment": "x"}'), 422),
    "401 digits": (heartbeat("1" + "0" * 400), 422),
    "5,001 digits": (heartbeat("1" + "0" * 5_000), 400),
    "minus 5,001 digits": (heartbeat("-1" + "0" * 5_000), 400),
    "NaN": (heartbeat("NaN"), 422),
    "Infinity": (heartbeat("Infinity"), 422),
    "-Infinity": (heartbeat("-Infinity"), 422),
    "1e400": (heartbeat("1e400"), 422),
    '"NaN"': (heartbeat('"NaN"'), 422),
    "digits that are not ASCII": (heartbeat('"\u0665"'), 422),
    "hexadecimal": (heartbeat("0x10"), 400),
    "a plus": (heartbeat("+1"), 400),
    "a zero before": (heartbeat("01"), 400),
    "no digit after the point": (heartbeat("1."), 400),
    "no digit before the point": (heartbeat(".5"), 400),
    "a comma at the end": (Sent(b'{"next_report_increment": 5,}'), 400),
    "two documents": (Sent(BODY + BODY), 400),
    "a comment": (Sent(b"/* a */" + BODY), 400),
    "a form": (Sent(b"next_report_increment=5"), 400),
    "XML": (Sent(b"<next_report_increment>5</next_report_increment>"), 400),
    "nothing but space": (Sent(b" \t\r\n"), 400),
    "a number that is a text's field": (Sent(b'{"nodename": NaN}', target=DONE), 422),
    "a number too large for a double where text is": (Sent(b'{"nodename": 1e400}', target=DONE), 422),
}
ENCODINGS: Final = {
    "UTF-8 with a mark": (Sent(b"\xef\xbb\xbf" + BODY), 400),
    "Latin-1": (Sent('{"next_report_increment": 5, "stdout": "é"}'.encode("latin-1")), 400),
    "an overlong form": (Sent(b'{"next_report_increment": 5, "stdout": "\xc0\xaf"}'), 400),
    "past the last character": (Sent(b'{"next_report_increment": 5, "stdout": "\xf4\x90\x80\x80"}'), 400),
    "half a character": (Sent(b'{"next_report_increment": 5, "stdout": "\xe2\x82"}'), 400),
    "NUL before it": (Sent(b"\x00" + BODY), 400),
    "half an escape": (Sent(b'{"next_report_increment": 5, "stdout": "\\u12"}'), 400),
    "gzip": (Sent(gzip.compress(BODY), headers={"Content-Encoding": "gzip"}), 400),
}
TARGETS: Final = {
    "/api/v3/task_instance/%00": 422,
    "/api/v3/task_instance/1%2F2": 403,
    "/api/v3/task_instance/1/2": 403,
    "/api/v3//task_instance/1": 403,
    "/api/v3/task_instance//1": 403,
    "/api/v3/task_instance/..": 422,
    "/api/v3/task_instance/../1": 403,
    "/api/v3/task_instance/%2e%2e": 422,
    "/api/v3/task_instance/%D9%A1": 422,
    "/api/v3/task_instance/+1": 422,
    "/api/v3/task_instance/%201001": 422,
    "/api/v3/task_instance/1001%0a": 422,
    "/api/v3/task_instance/1001%0d%0aX:%20y": 422,
    "/api/v3/task_instance/0x10": 422,
    "/api/v3/task_instance/1e3": 422,
    "/api/v3/task_instance/1001;a=b": 422,
    "/api/v3/task_instance/%": 422,
    "/api/v3/task_instance/%zz": 422,
    "/api/v3/task_instance/%ff": 422,
    "/api/v3/task_instance/-0": 404,
    "/api/v3/task_instance/1" + "0" * 36: 404,
    "/api/v3/task_instance/1" + "0" * 37: 422,
    "/api/v3/task_instance/" + "1" * 60_000: 422,
    "/api/v3/task_instance/999001?" + "a=1&" * 15_000: 404,
    "/api/v3/task_instance/999001?%ff=%00&=&&&=a": 404,
    "*": 403,
    "api/v3/health": 403,
    "http://elsewhere/api/v3/health": 403,
}
METHODS: Final = ["OPTIONS", "TRACE", "PUT", "GET", "DELETE", "PATCH", "post", "A" * 5_000]
REFUSED: Final[dict[str, tuple[Sent, int]]] = {
    **SIZES,
    **JSON,
    **ENCODINGS,
    **{f"method {method[:8]}": (Sent(method=method), 403) for method in METHODS},
    **{f"target {target[:50]}": (Sent(b"", method="GET", target=target), status) for target, status in TARGETS.items()},
}


@pytest.mark.parametrize(("sent", "status"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_changes_nothing(system: System, sent: Sent, status: int) -> None:
    before = view(system)
    reply = send(system, sent)
    assert reply.status == status
    assert reply.media_type == "application/json"
    if reply.status != http.HTTPStatus.FORBIDDEN:
        problem = json.loads(reply.body)
        described.reply("log_report_by", reply.status).validate(problem)
        assert problem["detail"]
        if reply.status == http.HTTPStatus.UNPROCESSABLE_ENTITY:
            assert all(error["field"] in problem["detail"] for error in problem["errors"])
    assert view(system) == before


CONTEXTS: Final = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "null": b"null",
    "deep": b'{"a":' * 5_000,
    "bytes": b"\xff\xfe",
    "lone surrogates": b'{"\\ud800": "\\udfff"}',
    "infinite": b'{"a": 1e400, "b": NaN}',
    "4,301 digits": b'{"a": ' + b"1" * 4_301 + b"}",
    "our own names": b'{"message": 1, "level": 2, "args": 3, "exc_info": 4, "_aws": {}, "self": 5, "msg": 6, "": 7}',
    "many": json.dumps({str(number): number for number in range(3_000)}).encode(),
}
TAKEN: Final = {
    "5,000 headers": Sent(headers={f"X-{number}": "y" for number in range(5_000)}),
    "two keys, of which the last counts": Sent(b'{"next_report_increment": "x", "next_report_increment": 5}'),
    "-0": heartbeat("-0"),
    "-0.0": heartbeat("-0.0"),
    "less than a double can tell": heartbeat("1e-400"),
    "a number in a text": heartbeat('"5"'),
    "a lone surrogate": Sent(b'{"next_report_increment": 5, "stdout": "\\ud800"}'),
    "an escaped NUL": Sent(b'{"next_report_increment": 5, "stdout": "\\u0000"}'),
    "a digit that is escaped in the target": Sent(target=HEARTBEAT.replace("/1", "/%31")),
    "zeros before an id": Sent(target=HEARTBEAT.replace("/1", "/001")),
    **{
        f"content type {kind[:30]!r}": Sent(headers={"Content-Type": kind})
        for kind in (b"", b"text/xml", b"multipart/form-data", b"\xff", b";;;", b"application/json; charset=utf-16")
    },
    **{f"context: {name}": Sent(headers={"X-Server-Structlog-Context": value}) for name, value in CONTEXTS.items()},
}


@pytest.mark.parametrize("sent", TAKEN.values(), ids=TAKEN)
def test_what_is_odd_and_yet_clear_is_taken(system: System, sent: Sent) -> None:
    reply = send(system, sent)
    assert (reply.status, reply.body) == (200, b'{"status":"R"}')
