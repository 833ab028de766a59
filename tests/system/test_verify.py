"""`make verify` passes a good deployment, names each fault of a bad one, and refuses wrong usage."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest

from lockstep.access.scopes import Scope
from lockstep.routes import ROUTES
from ops.verify import api as calling
from ops.verify.__main__ import conclude, main
from ops.verify.api import Api
from ops.verify.checks import Checks
from ops.verify.refusals import UNKNOWN_INSTANCE
from ops.verify.session import FIRST_WORKFLOW_ID
from ops.verify.target import PREFIX, Target, UsageError, read_target
from ops.verify.walk import walk
from tests.support.guarded import NO_TLS, Guarded
from tests.support.serving import ended

Spoil = Callable[[int, Any], tuple[int, Any]]
"""A reply's status and body, made into others."""
HOLDS, DOES_NOT_HOLD, CANNOT_START, INTERRUPTED = 0, 1, 2, 130


class Between(httpx.BaseTransport):
    """Stands between verification and the deployment: keeps every request and spoils some replies."""

    def __init__(self, spoils: dict[str, Spoil]) -> None:
        self._inner = httpx.HTTPTransport(verify=NO_TLS)
        self._spoils = spoils
        self.asked: Counter[str] = Counter()
        """Method and path, with every number replaced by a star."""
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        route = f"{request.method} {request.url.path.rpartition(PREFIX)[2]}"
        pattern = re.sub(r"(?<=/)\d+(?=/|$)", "*", route)
        self.asked[pattern] += 1
        self.requests.append(request)
        numbered = f"{pattern} {self.asked[pattern]}"
        spoil = next((self._spoils[name] for name in (route, numbered, pattern) if name in self._spoils), None)
        request.url = request.url.copy_with(scheme="http")  # the deployment behind it speaks no TLS
        reply = self._inner.handle_request(request)
        reply.read()
        if not spoil:
            return reply
        status, body = spoil(reply.status_code, json.loads(reply.content))
        return httpx.Response(status, json=body, request=request)

    def close(self) -> None:
        self._inner.close()


class Walked:
    """A walk that is over."""

    def __init__(self, url: str, token: str, between: Between) -> None:
        self.between = between
        self.checks = Checks()
        with Api(Target(url, token), between) as self.api:
            walk(self.api, self.checks, token)
        self.exit_code = conclude(self.checks)


def answer(status: int, body: Any) -> Spoil:
    return lambda *_: (status, body)


def change(*path: str | int, to: Any) -> Spoil:
    def spoil(status: int, body: Any) -> tuple[int, Any]:
        inner = body
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = to
        return status, body

    return spoil


def double_entries(status: int, body: Any) -> tuple[int, Any]:
    return status, {"task_instance_error_log": body["task_instance_error_log"] * 2}


def lose(*_: Any) -> tuple[int, Any]:
    raise httpx.ReadError("the connection broke")


def interrupt(*_: Any) -> tuple[int, Any]:
    raise KeyboardInterrupt


INSTANCE = "task_instance/*"
FAULTS: Final[dict[str, tuple[str, Spoil]]] = {
    "a rival worker node is told to stop (K)": (
        f"POST /{INSTANCE}/log_running 4",
        change("task_instance", 1, to="R"),
    ),
    "both move from LAUNCHED to RUNNING": (f"GET /{INSTANCE} 6", change("task", "status", to="O")),
    "the worker node reports the end and is told DONE (D)": (
        f"POST /{INSTANCE}/log_done 1",
        change("status", to="R"),
    ),
    "a failure reported after the end gives 200 and DONE (D)": (
        f"POST /{INSTANCE}/log_error_worker_node 1",
        answer(409, {"detail": "conflict"}),
    ),
    "the failure stands in the error log once": (f"GET /{INSTANCE}/task_instance_error_log 3", double_entries),
    "after 4 attempts the task is not queued again": (
        "POST /array/*/queue_task_batch 6",
        answer(200, {"tasks_by_status": {"Q": [1]}}),
    ),
    "its array, batch and step lead to the task instance": (
        "GET /get_array_task_instance_id/*/*/* 2",
        change("task_instance_id", to=1001),
    ),
    "the distributor's heartbeat for a batch is taken": (
        "POST /task_instance/log_report_by/batch",
        answer(500, {"detail": "a defect of ours"}),
    ),
    "its heartbeat is answered KILL_SELF (K)": (f"POST /{INSTANCE}/log_report_by 4", change("status", to="R")),
    "a missing field gives 422 and is named": (f"POST /{INSTANCE}/log_running 7", change("errors", to=[])),
    "a task instance that does not exist gives 404": (
        f"GET /task_instance/{UNKNOWN_INSTANCE}",
        answer(500, {"title": "Internal Server Error", "status": 500, "detail": "?"}),
    ),
    "a request with garbage for a token is refused with 401": ("GET /health 5", answer(200, {"status": "OK"})),
    "bound again, it is the same array": ("POST /array 2", change("array_id", to=2)),
    "a workflow run that has ended stays so": ("PUT /workflow_run/*/update_status 7", change("status", to="R")),
}
"""What must be named, by the sentence, and the reply that is spoiled: its route, and which of its replies."""


@pytest.fixture(scope="module")
def token(guarded: Guarded) -> str:
    return guarded.token(Scope.OPERATOR)


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "PAUSE_SECONDS", 0.0)


@pytest.fixture(scope="module")
def walked(guarded: Guarded, token: str) -> Walked:
    return Walked(guarded.url, token, Between({}))


def stands(guarded: Guarded, token: str, between: Between) -> set[str]:
    """How the workflow runs stand that a walk moved: one that has ended stays so."""
    paths = {request.url.path for request in between.requests if request.url.path.endswith("/update_status")}
    ours = [path.removeprefix(PREFIX) for path in paths if str(UNKNOWN_INSTANCE) not in path]
    with guarded.client(token) as client:
        return {client.put(path, json={"status": "R"}).json()["status"] for path in ours}


def test_everything_holds_where_tokens_are_asked_for(walked: Walked) -> None:
    assert walked.checks.failed == []
    assert walked.exit_code == HOLDS
    assert walked.api.sent_again == 0


LOOKS: Final = {"get_array_limit", "list_array_tasks", "show_run"}
"""Routes of arrays and runs that only people ask."""


def test_every_route_of_the_state_machine_is_called(walked: Walked) -> None:
    asked = walked.between.asked
    machine = [route for route in ROUTES if route.aggregate in {"task_instance", "workflow_run", "array"}]
    paths = {route.name: f"{route.method} {re.sub('{.*?}', '*', route.path)}" for route in machine}
    assert {name for name, path in paths.items() if path not in asked} == LOOKS
    assert asked.keys() >= {"GET /cluster/sequential", "GET /health", "POST /task/bind_resources"}
    assert asked.keys() >= {"POST /task_resources/*", "PUT /task/bind_tasks_no_args"}


def test_what_it_makes_is_recognisable_and_apart_from_real_workflows(walked: Walked) -> None:
    bodies = [json.loads(request.content) for request in walked.between.requests if request.content not in {b"", b"{"}]
    workflows = {body["workflow_id"] for body in bodies if "workflow_id" in body}
    assert len(workflows) == 1
    assert FIRST_WORKFLOW_ID < min(workflows) < 2**53
    [array] = {body["name"] for body in bodies if "name" in body}
    [tasks] = {json.dumps(body["tasks"]) for body in bodies if "tasks" in body}
    assert array.startswith("lockstep-verify-")
    assert all(row[4].startswith(array) for row in json.loads(tasks).values())


def test_everything_holds_where_no_token_is_asked_for(api: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    walked = Walked(str(api.base_url).rstrip("/").removesuffix(PREFIX), "", Between({}))
    assert walked.exit_code == HOLDS
    assert "this deployment asks for none" in capsys.readouterr().out
    assert not any("authorization" in request.headers for request in walked.between.requests)


def test_what_tls_shows_is_said(guarded: Guarded, token: str, capsys: pytest.CaptureFixture[str]) -> None:
    walked = Walked(guarded.url.replace("http:", "https:"), token, Between({}))
    assert walked.exit_code == HOLDS
    assert "this connection's certificate is valid" in capsys.readouterr().out


@pytest.mark.parametrize("sentence", FAULTS)
def test_a_fault_is_named_and_leaves_no_run_open(
    guarded: Guarded, token: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    route, spoil = FAULTS[sentence]
    walked = Walked(guarded.url, token, Between({route: spoil}))
    assert walked.exit_code == DOES_NOT_HOLD
    assert sentence in walked.checks.failed
    printed = capsys.readouterr().out
    assert re.search(rf"^FAIL {re.escape(sentence)}\n     expected: .+\n     seen:     .+", printed, re.MULTILINE)
    assert f"\n  - {sentence}\n" in printed
    assert stands(guarded, token, walked.between) <= {"D", "E", "A"}


def test_a_lost_reply_is_named_and_the_run_is_ended(guarded: Guarded, token: str) -> None:
    walked = Walked(guarded.url, token, Between({f"POST /{INSTANCE}/log_done 1": lose}))
    assert walked.checks.failed == ["the worker node reports the end and is told DONE (D)"]
    assert stands(guarded, token, walked.between) == {"D"}


def test_ctrl_c_stops_what_runs_and_ends_the_run(guarded: Guarded, token: str) -> None:
    between = Between({f"POST /{INSTANCE}/log_done 1": interrupt})
    with pytest.raises(KeyboardInterrupt):
        Walked(guarded.url, token, between)
    assert [request.url.path.rpartition("/")[2] for request in between.requests[-3:-1]] == [
        "terminate_task_instances",
        "update_status",
    ]
    assert stands(guarded, token, between) == {"D"}


def test_a_run_that_seems_not_to_move_is_ended_all_the_same(guarded: Guarded, token: str) -> None:
    refused = answer(500, {"detail": "a defect of ours"})
    moves = {f"PUT /workflow_run/*/update_status {number}": refused for number in (1, 2, 3)}
    walked = Walked(guarded.url, token, Between({"POST /array/*/queue_task_batch": refused} | moves))
    assert walked.exit_code == DOES_NOT_HOLD
    assert stands(guarded, token, walked.between) == {"E"}


def test_what_is_answered_503_is_sent_again_and_said(
    guarded: Guarded, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    walked = Walked(guarded.url, token, Between({f"POST /{INSTANCE}/log_done 1": answer(503, {"detail": "again"})}))
    assert walked.exit_code == HOLDS
    assert "1 of " in (printed := capsys.readouterr().out)
    assert "requests were answered 503 and sent again" in printed


def test_what_stays_503_is_named(guarded: Guarded, token: str) -> None:
    walked = Walked(guarded.url, token, Between({f"POST /{INSTANCE}/log_done": answer(503, {"detail": "again"})}))
    assert "the worker node reports the end and is told DONE (D)" in walked.checks.failed


def test_the_token_is_sent_as_bearer_and_never_printed(
    guarded: Guarded, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    echo = answer(400, {"detail": f"you sent {token}"})
    walked = Walked(guarded.url, token, Between({f"POST /{INSTANCE}/log_done": echo}))
    sent = Counter(request.headers.get("authorization") for request in walked.between.requests)
    assert sent[f"Bearer {token}"] == len(walked.between.requests) - 4
    printed = capsys.readouterr()
    assert "you sent (the token)" in printed.out
    assert token not in printed.out + printed.err


def test_a_url_with_a_stage_is_walked(guarded: Guarded, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", token)
    assert main(["--url", f"{guarded.url}/v1{PREFIX}/"]) == HOLDS


@pytest.mark.parametrize("ending", ["", "/", PREFIX, f"{PREFIX}/", "//"])
@pytest.mark.parametrize("url", ["https://h.example", "https://h.example/v1", "http://127.0.0.1:3000"])
def test_the_url_may_end_in_prefix_or_slash(url: str, ending: str) -> None:
    assert read_target(url + ending, "").url == url


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "no URL"),
        ("127.0.0.1:3000", "must begin with http"),
        ("ftp://127.0.0.1", "must begin with http"),
        ("http://:3000", "name a host"),
        ("http://127.0.0.1:99999", "name a host"),
        ("http://operator:secret@127.0.0.1", "must not hold a user or a password"),
        ("http://127.0.0.1/?a=b", "query"),
    ],
)
def test_a_url_that_is_none_is_refused(
    url: str, complaint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    assert main(["--url", url]) == CANNOT_START
    printed = capsys.readouterr()
    assert complaint in printed.err
    assert "secret" not in printed.out + printed.err


def test_nothing_answers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
    assert main(["--url", "http://127.0.0.1:9"]) == CANNOT_START
    assert "cannot reach http://127.0.0.1:9: ConnectError" in capsys.readouterr().err


def test_a_token_that_no_header_may_hold_is_not_printed(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKEN", "secret\nX: y")
    assert main(["--url", guarded.url]) == CANNOT_START
    printed = capsys.readouterr().err
    assert "a line break" in printed
    assert "secret" not in printed


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (lambda _: "", "asks for a token"),
        (lambda guarded: guarded.expired(Scope.OPERATOR), "refuses the token"),
        (lambda guarded: guarded.forged(Scope.OPERATOR), "refuses the token"),
        (lambda guarded: guarded.token(Scope.WORKER), "lacks the scope operator"),
        (lambda guarded: guarded.token(Scope.DISTRIBUTOR), "lacks the scope operator"),
    ],
    ids=["none", "expired", "forged", "worker", "distributor"],
)
def test_a_token_that_does_not_suffice_is_refused(
    guarded: Guarded,
    made: Callable[[Guarded], str],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TOKEN", made(guarded))
    assert main(["--url", guarded.url]) == CANNOT_START
    printed = capsys.readouterr()
    assert complaint in printed.err
    assert printed.out == ""


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (answer(403, {"detail": "there is no such route, or the request is not signed"}), "AuthMode=iam"),
        (answer(404, "another program"), "is no Lockstep"),
        (answer(200, {"hello": "world"}), "is no Lockstep"),
    ],
)
def test_what_is_no_lockstep_or_takes_no_token_is_refused(
    guarded: Guarded, token: str, spoil: Spoil, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        Walked(guarded.url, token, Between({"GET /health": spoil}))


def test_a_deployment_that_is_ill_is_no_wrong_usage(guarded: Guarded, token: str) -> None:
    walked = Walked(guarded.url, token, Between({"GET /health": answer(500, {"detail": "a defect of ours"})}))
    assert "the deployment answers that it is healthy" in walked.checks.failed


def test_make_verify_passes_on_what_it_is_given(guarded: Guarded, token: str) -> None:
    command = ("make", "--silent", "verify", f"URL={guarded.url}")
    environment = {name: value for name, value in os.environ.items() if name not in {"URL", "TOKEN"}}
    good, bad = ended(*command, f"TOKEN={token}", env=environment), ended(*command, env=environment)
    assert good.returncode == 0, good.stdout
    assert re.search(r"\nAll \d+ checks hold\.\n", good.stdout)
    assert "asks for a token" in bad.stderr
    assert bad.returncode != 0
