"""What can arrive on a connection: it is refused and changes nothing, or it is understood, and it harms nobody."""

import gzip
import http.client
import io
import json
import socket
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


class Heard(NamedTuple):
    """One reply."""

    status: int
    media_type: str | None
    body: bytes


class _Stream(io.BytesIO):
    """Stays open however many replies are read from it."""

    def close(self) -> None:
        pass

    def makefile(self, _: str) -> "_Stream":
        return self


def talk(system: System, sent: bytes, *, breaks_off: bool = False) -> list[Heard]:
    """The replies to what was sent on one connection; none where it was closed without one.

    Whoever is answered before he has said all may find the connection reset.
    """
    url = httpx.URL(system.url)
    raw = b""
    with socket.create_connection((url.host, url.port or 80)) as line:
        try:
            line.sendall(sent)
            if breaks_off:
                line.shutdown(socket.SHUT_WR)
            while part := line.recv(65_536):
                raw += part
        except ConnectionError:
            pass
    return _replies(raw)


def _replies(raw: bytes) -> list[Heard]:
    stream = _Stream(raw)
    replies: list[Heard] = []
    while stream.tell() < len(raw):
        reply = http.client.HTTPResponse(stream)  # type: ignore[arg-type]  # it needs no more of a socket
        reply.begin()
        replies.append(Heard(reply.status, reply.getheader("content-type"), reply.read()))
    return replies


def request(
    body: bytes = BODY,
    *,
    method: bytes = b"POST",
    target: bytes = HEARTBEAT.encode(),
    length: object = None,
    headers: bytes = b"",
    version: bytes = b"1.1",
) -> bytes:
    """A request that ends its connection. length None: the body's; "": there is no such header."""
    length = len(body) if length is None else length
    framing = b"" if length == "" else f"Content-Length: {length}\r\n".encode()
    head = b"%s %s HTTP/%s\r\nHost: x\r\nConnection: close\r\n" % (method, target, version)
    return head + framing + headers + b"\r\n" + body


def chunked(body: bytes) -> bytes:
    return request(body, length="", headers=b"Transfer-Encoding: chunked\r\n")


def heartbeat(increment: str) -> bytes:
    return request(b'{"next_report_increment": %s}' % increment.encode())


def view(system: System) -> Any:
    with system.client() as client:
        return client.get(VIEW.removeprefix("/api/v3")).json()


@dataclass(frozen=True, slots=True)
class Odd:
    """What is sent, and the statuses that it may be answered with. None: it may be closed without an answer."""

    sent: bytes
    statuses: set[int | None]
    breaks_off: bool = False


def refused(sent: bytes, *statuses: int | None) -> Odd:
    return Odd(sent, set(statuses))


def broken_off(sent: bytes) -> Odd:
    return Odd(sent, {None, 400}, breaks_off=True)


NESTED: Final = 100_000
FRAMING: Final = {
    "a body that ends early": broken_off(request(length=1_000)),
    "a head that ends early": broken_off(request()[:40]),
    "a request line that ends early": broken_off(b"POST /api"),
    "nothing": broken_off(b""),
    "a length too small": refused(request(length=10), 400),
    "a negative length": refused(request(length=-5), 400),
    "a length that is no number": refused(request(length="many"), 400),
    "a length with a sign": refused(request(length="+28"), 400),
    "a length of 31 digits": broken_off(request(length=10**30)),
    "two lengths": refused(request(headers=b"Content-Length: 5\r\n"), 400),
    "no length": refused(request(length=""), 400),
    "a chunk whose size is no number": refused(chunked(b"zz\r\n" + BODY + b"\r\n0\r\n\r\n"), 400),
    "a chunk of a negative size": refused(chunked(b"-5\r\n" + BODY + b"\r\n0\r\n\r\n"), 400),
    "a chunk longer than its size": refused(chunked(b"5\r\n" + BODY + b"\r\n0\r\n\r\n"), 400),
    "a chunk shorter than its size": broken_off(chunked(b"ff\r\n" + BODY + b"\r\n0\r\n\r\n")),
    "a chunk of a size of 30 digits": broken_off(chunked(b"f" * 30 + b"\r\n" + BODY)),
    "no last chunk": broken_off(chunked(b"1c\r\n" + BODY + b"\r\n")),
    "another transfer encoding": refused(request(length="", headers=b"Transfer-Encoding: gzip\r\n"), 400),
    "HTTP 0.9": refused(b"GET /\r\n\r\n", 400),
    "HTTP 2": refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 403, 400),
    "TLS": refused(b"\x16\x03\x01\x02\x00" + b"\x00" * 100 + b"\r\n\r\n", 400),
    "no host": refused(b"GET /api/v3/health HTTP/1.1\r\n\r\n", 400),
    "two hosts": refused(request(headers=b"Host: y\r\n"), 400),
    "a header without a colon": refused(request(headers=b"no colon\r\n"), 400),
    "a space before the colon": refused(request(headers=b"X : a\r\n"), 400),
    "a header with NUL": refused(request(headers=b"X: a\x00b\r\n"), 400),
    "a header of 1 MB": refused(request(headers=b"X: " + b"y" * MEGABYTE + b"\r\n"), 400, None),
    "100,000 headers": refused(request(headers=b"X: y\r\n" * 100_000), 400, None),
}
SIZES: Final = {
    "10 MB": refused(request(BODY.rjust(10 * MEGABYTE)), 413),
    "10 MB and a byte": refused(request(BODY.rjust(10 * MEGABYTE + 1)), 413, None),
    "past 6 MB once escaped": refused(request(b'{"stdout": "' + b"\\u0041" * MEGABYTE + b'"}'), 413),
    "past the limit in bytes, not in characters": refused(
        request(b'{"stdout": "' + "é".encode() * (MAX_BODY_BYTES // 2) + b'"}'), 413
    ),
}
JSON: Final = {
    "many brackets": refused(request(b"[" * NESTED + b"]" * NESTED), 400),
    "many brackets, unclosed": refused(request(b"[" * NESTED), 400),
    "many brackets in a field nobody knows": refused(
        request(b'{"next_report_increment": 5, "a": ' + b"[" * NESTED + b"]" * NESTED + b"}"), 400
    ),
    "an object in an object, and so on": refused(request(b'{"a":' * NESTED + b"1" + b"}" * NESTED), 400),
    "the last of two keys does not fit": refused(
        request(b'{"next_report_increment": 5, "next_report_increment": "x"}'), 422
    ),
    "401 digits": refused(heartbeat("1" + "0" * 400), 422),
    "5,001 digits": refused(heartbeat("1" + "0" * 5_000), 400),
    "minus 5,001 digits": refused(heartbeat("-1" + "0" * 5_000), 400),
    "NaN": refused(heartbeat("NaN"), 422),
    "Infinity": refused(heartbeat("Infinity"), 422),
    "-Infinity": refused(heartbeat("-Infinity"), 422),
    "1e400": refused(heartbeat("1e400"), 422),
    '"NaN"': refused(heartbeat('"NaN"'), 422),
    "digits that are not ASCII": refused(heartbeat('"\u0665"'), 422),
    "hexadecimal": refused(heartbeat("0x10"), 400),
    "a plus": refused(heartbeat("+1"), 400),
    "a zero before": refused(heartbeat("01"), 400),
    "no digit after the point": refused(heartbeat("1."), 400),
    "no digit before the point": refused(heartbeat(".5"), 400),
    "a comma at the end": refused(request(b'{"next_report_increment": 5,}'), 400),
    "two documents": refused(request(BODY + BODY), 400),
    "a comment": refused(request(b"/* a */" + BODY), 400),
    "a form": refused(request(b"next_report_increment=5"), 400),
    "XML": refused(request(b"<next_report_increment>5</next_report_increment>"), 400),
    "nothing but space": refused(request(b" \t\r\n"), 400),
    "null": refused(request(b"null"), 422),
    "a list": refused(request(b"[5]"), 422),
    "a number": refused(request(b"5"), 422),
    "a text": refused(request(b'"next_report_increment"'), 422),
    "a number that is a text's field": refused(request(b'{"nodename": NaN}', target=DONE.encode()), 422),
    "a number too large for a double where text is": refused(
        request(b'{"nodename": 1e400}', target=DONE.encode()), 422
    ),
}
ENCODINGS: Final = {
    "UTF-8 with a mark": refused(request(b"\xef\xbb\xbf" + BODY), 400),
    "Latin-1": refused(request('{"next_report_increment": 5, "stdout": "é"}'.encode("latin-1")), 400),
    "an overlong form": refused(request(b'{"next_report_increment": 5, "stdout": "\xc0\xaf"}'), 400),
    "past the last character": refused(request(b'{"next_report_increment": 5, "stdout": "\xf4\x90\x80\x80"}'), 400),
    "half a character": refused(request(b'{"next_report_increment": 5, "stdout": "\xe2\x82"}'), 400),
    "a bare NUL": refused(request(b'{"next_report_increment": 5, "stdout": "\x00"}'), 400),
    "NUL before it": refused(request(b"\x00" + BODY), 400),
    "half an escape": refused(request(b'{"next_report_increment": 5, "stdout": "\\u12"}'), 400),
    "gzip": refused(request(gzip.compress(BODY), headers=b"Content-Encoding: gzip\r\n"), 400),
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
METHODS: Final = [b"OPTIONS", b"TRACE", b"PUT", b"GET", b"DELETE", b"PATCH", b"post", b"A" * 5_000]
REFUSED: Final = {
    **FRAMING,
    **SIZES,
    **JSON,
    **ENCODINGS,
    **{f"method {method[:8].decode()}": refused(request(method=method), 403) for method in METHODS},
    "no method": refused(request(method=b""), 400),
    "a method that is no word": refused(request(method=b"\xff"), 400),
    **{
        f"target {target[:50]}": refused(request(b"", method=b"GET", target=target.encode()), status)
        for target, status in TARGETS.items()
    },
    "a target with a space": refused(request(target=b"/api/v3/task_instance/1 001"), 400),
    "a target that is not ASCII": refused(request(target="/api/v3/task_instance/\u0661".encode()), 400),
}


@pytest.mark.parametrize("odd", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_changes_nothing(system: System, odd: Odd) -> None:
    before = view(system)
    replies = talk(system, odd.sent, breaks_off=odd.breaks_off)
    statuses: set[int | None] = {reply.status for reply in replies}
    assert (statuses or {None}) <= odd.statuses
    for reply in replies:
        _says_why(reply)
    assert view(system) == before


def _says_why(reply: Heard) -> None:
    """What is no HTTP is refused by the server of the connection, in plain words; the rest by problem documents."""
    if reply.media_type == "application/json" and reply.body:
        problem = json.loads(reply.body)
        described.reply("log_report_by", reply.status).validate(problem)
        assert problem["detail"]
        if reply.status == 422:
            assert all(error["field"] in problem["detail"] for error in problem["errors"])
    else:
        assert reply.status in {400, 403}


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
    "two equal lengths": request(headers=b"Content-Length: 28\r\n"),
    "chunks": chunked(b"1c\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "HTTP 1.0": request(version=b"1.0"),
    "5,000 headers": request(headers=b"".join(b"X-%d: y\r\n" % number for number in range(5_000))),
    "a header of 60 KB": request(headers=b"X: " + b"y" * 60_000 + b"\r\n"),
    "a folded header": request(headers=b"X: a\r\n b\r\n"),
    "an upgrade": request(headers=b"Upgrade: websocket\r\n"),
    "two keys, of which the last counts": request(b'{"next_report_increment": "x", "next_report_increment": 5}'),
    "-0": heartbeat("-0"),
    "-0.0": heartbeat("-0.0"),
    "less than a double can tell": heartbeat("1e-400"),
    "a number in a text": heartbeat('"5"'),
    "a lone surrogate": request(b'{"next_report_increment": 5, "stdout": "\\ud800"}'),
    "an escaped NUL": request(b'{"next_report_increment": 5, "stdout": "\\u0000"}'),
    "a digit that is escaped in the target": request(target=HEARTBEAT.replace("/1", "/%31").encode()),
    "zeros before an id": request(target=HEARTBEAT.replace("/1", "/001").encode()),
    **{
        f"content type {kind[:30]!r}": request(headers=b"Content-Type: " + kind + b"\r\n")
        for kind in (b"", b"text/xml", b"multipart/form-data", b"\xff", b";;;", b"application/json; charset=utf-16")
    },
    **{
        f"context: {name}": request(headers=b"X-Server-Structlog-Context: " + value + b"\r\n")
        for name, value in CONTEXTS.items()
    },
}


@pytest.mark.parametrize("sent", TAKEN.values(), ids=TAKEN)
def test_what_is_odd_and_yet_clear_is_taken(system: System, sent: bytes) -> None:
    assert [(reply.status, reply.body) for reply in talk(system, sent)] == [(200, b'{"status":"R"}')]


def test_requests_sent_without_waiting_are_answered_in_order(system: System) -> None:
    health = b"GET /api/v3/health HTTP/1.1\r\nHost: x\r\n\r\n"
    replies = talk(system, health * 20 + request(b"") + health)
    assert [reply.status for reply in replies] == [200] * 20 + [400]


def test_a_request_that_comes_byte_by_byte_is_understood(system: System) -> None:
    url = httpx.URL(system.url)
    with socket.create_connection((url.host, url.port or 80)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request():
            line.sendall(bytes([byte]))
        raw = b"".join(iter(lambda: line.recv(65_536), b""))
    assert [(reply.status, reply.body) for reply in _replies(raw)] == [(200, b'{"status":"R"}')]


def test_what_is_left_of_a_body_is_no_body(system: System) -> None:
    before = view(system)
    sent = request(length=2).replace(b"Connection: close\r\n", b"") + b"\r\n\r\n"
    assert [reply.status for reply in talk(system, sent)] == [400, 400]
    assert view(system) == before


def test_head_is_answered_without_a_body(system: System) -> None:
    reply = httpx.head(f"{system.url}/api/v3/health", trust_env=False)
    assert (reply.status_code, reply.content) == (403, b"")


FRAMED: Final = len(request().partition(b"Content-Length")[0])
CHANGES: Final = st.tuples(
    st.integers(0, FRAMED),
    st.integers(0, 8),
    st.one_of(st.binary(max_size=8), st.sampled_from([b"\r\n", b"\x00", b"%", b"/", b":", b"\xff", b"9" * 40])),
)


@given(st.lists(CHANGES, max_size=5), st.binary(max_size=40))
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_request_with_other_bytes_in_it_harms_nobody(
    system: System, changes: list[tuple[int, int, bytes]], body: bytes
) -> None:
    """Its length stays true and another request follows, so that it is answered whatever is left of it."""
    whole = request(body)
    head = bytearray(whole[:FRAMED])
    for at, gone, put in changes:
        head[at : min(at + gone, len(head))] = put
    health = b"GET /api/v3/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    replies = talk(system, bytes(head) + whole[FRAMED:] + health)
    assert replies
    assert all(reply.status < 500 for reply in replies)
    with system.client() as client:
        assert client.get("/health").status_code == 200
