"""Every route, every scope: who may call what, and what those are told who may not."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest

from local import gateway
from local.events import reply_body
from local.run import state_file
from lockstep.access.scopes import Scope
from lockstep.routes import ROUTES, Route, route
from ops.token import CannotSignError, secret_of
from tests.support.guarded import NO_TLS, SECRET, Guarded
from tests.support.seeding import pair
from tests.support.serving import alone, ended, run_alone, serving
from tests.support.serving import running as started

NO_ONE: Final = 9_999_999
"""Of whatever a path asks for, the one with this number does not exist."""


def path_of(route: Route) -> str:
    return re.sub(r"\{\w+\}", str(NO_ONE), route.resource)


def call(guarded: Guarded, route: Route, **headers: str) -> httpx.Response:
    path = guarded.url + path_of(route)
    return httpx.request(route.method, path, headers=headers, json={}, timeout=30, trust_env=False, verify=NO_TLS)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def problem(reply: httpx.Response) -> tuple[int, str]:
    """Status and title of a problem document that is as the clients need it."""
    assert reply.headers["Content-Type"] == "application/json"
    body = reply.json()
    assert body.keys() >= {"type", "title", "status", "detail"}
    assert body["status"] == reply.status_code
    return reply.status_code, body["title"]


@pytest.mark.usefixtures("table")
def test_a_scope_that_a_function_does_not_know_may_nothing() -> None:
    """During a deployment the authorizer may be newer than the function."""
    event: dict[str, Any] = {"httpMethod": "GET", "path": "/api/v3/health", "resource": "/api/v3/health"}
    event |= {"requestContext": {"authorizer": {"principalId": "ann", "scope": "auditor"}}}
    reply = json.loads(gateway.invoke(gateway.load_handler("health"), json.dumps(event), "health"))
    assert reply["statusCode"] == 403


def answered(name: str, **event: Any) -> tuple[int, str]:
    """Status and detail of a function's reply to a bare event: as if API Gateway let everybody pass."""
    called = route(name)
    bare = {
        "httpMethod": called.method,
        "path": path_of(called),
        "resource": called.resource,
        "pathParameters": dict.fromkeys(called.parameters, str(NO_ONE)),
        "body": "{}",
    }
    reply = json.loads(gateway.invoke(gateway.load_handler(name), json.dumps(bare | event), name))
    body = reply_body(reply)
    return reply["statusCode"], body.get("detail", "") if isinstance(body, dict) else ""


NOT_FOR_THIS_ROUTE: Final = (403, "the token is not for this route")
NO_CALLER: Final[dict[str, dict[str, Any]]] = {
    "no context": {},
    "an empty context": {"requestContext": {}},
    "null": {"requestContext": None},
    "no authorizer": {"requestContext": {"authorizer": None, "identity": None}},
    "no scope": {"requestContext": {"authorizer": {"principalId": "ann"}}},
    "a scope that is null": {"requestContext": {"authorizer": {"principalId": "ann", "scope": None}}},
}
SIGNER: Final = {"identity": {"userArn": "arn:aws:iam::123456789012:user/ann"}}


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("mode", ["token", None, "", "typo"])
@pytest.mark.parametrize("context", NO_CALLER)
def test_a_function_refuses_a_request_that_names_no_scope(
    monkeypatch: pytest.MonkeyPatch, mode: str | None, context: str
) -> None:
    if mode is None:
        monkeypatch.delenv("AUTH_MODE")
    else:
        monkeypatch.setenv("AUTH_MODE", mode)
    for called in ROUTES:
        assert answered(called.name, **NO_CALLER[context]) == NOT_FOR_THIS_ROUTE, called.name
    assert answered("health", requestContext=SIGNER) == NOT_FOR_THIS_ROUTE


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("context", NO_CALLER)
def test_a_function_refuses_a_request_that_nobody_signed(monkeypatch: pytest.MonkeyPatch, context: str) -> None:
    monkeypatch.setenv("AUTH_MODE", "iam")
    for called in ROUTES:
        assert answered(called.name, **NO_CALLER[context]) == (403, "the request is not signed"), called.name


@pytest.mark.usefixtures("table")
def test_a_signer_may_call_what_iam_let_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_MODE", "iam")
    for called in ROUTES:
        assert answered(called.name, requestContext=SIGNER)[0] in {200, 404, 422}, called.name
    worker = {"requestContext": SIGNER | {"authorizer": {"scope": "worker"}}}
    assert answered("create_array", **worker) == NOT_FOR_THIS_ROUTE  # a scope that is named counts


CHANGES: Final = "log_running"
HOST: Final = "api.example.org"
OTHER_SITES: Final[dict[str, dict[str, str]]] = {
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
    "same-site": {"Sec-Fetch-Site": "same-site"},
    "an unknown site": {"Sec-Fetch-Site": "elsewhere"},
    "cross-site, though Origin is ours": {"Sec-Fetch-Site": "cross-site", "Origin": f"https://{HOST}"},
    "another origin": {"Origin": "https://evil.example.org"},
    "another port": {"Origin": f"https://{HOST}:8443"},
    "an origin that ends alike": {"Origin": f"https://evil-{HOST}"},
    "an opaque origin": {"Origin": "null"},
    "no origin at all": {"Origin": ""},
    "no address": {"Origin": "https://[::1"},
}
OWN_SITE: Final[dict[str, dict[str, str]]] = {
    "a program": {},
    "its own page": {"Sec-Fetch-Site": "same-origin", "Origin": f"https://{HOST}"},
    "the user": {"Sec-Fetch-Site": "none"},
    "its own page in an older browser": {"Origin": f"https://{HOST.upper()}"},
}


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("site", OTHER_SITES)
def test_another_sites_page_may_change_nothing(site: str, method: str) -> None:
    headers = OTHER_SITES[site]
    for host in ({"Host": HOST}, {}):
        refused = answered(CHANGES, httpMethod=method, headers=headers | host)
        assert refused == (403, "another site's page may not send this")
    assert answered("health", headers=headers | {"Host": HOST})[0] == 200  # a GET changes nothing


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", None])
@pytest.mark.parametrize("site", OWN_SITE)
def test_programs_and_its_own_page_may_send_any_content_type(site: str, media_type: str | None) -> None:
    headers = OWN_SITE[site] | {"Host": HOST} | ({"Content-Type": media_type} if media_type else {})
    assert answered(CHANGES, headers=headers)[0] == 422  # it got as far as the body


def test_no_such_route_is_a_403_whoever_asks(guarded: Guarded) -> None:
    reply = httpx.get(f"{guarded.url}/api/v3/nonsense", headers=bearer(guarded.token(Scope.OPERATOR)), trust_env=False)
    assert problem(reply) == (403, "Forbidden")


OURS, THEIRS = 31, 32
REPORTS: Final[dict[str, tuple[tuple[str, str], dict[str, Any]]]] = {
    "log_running": (("O", "O"), {"process_group_id": 1, "next_report_increment": 90}),
    "log_report_by": (("R", "R"), {"next_report_increment": 90}),
    "log_done": (("R", "R"), {"nodename": "n"}),
    "log_error_worker_node": (("R", "R"), {"error_state": "E", "error_description": "e"}),
}
"""What a worker node sends, and how things stand before it."""


@pytest.fixture
def worker(guarded: Guarded) -> Iterator[httpx.Client]:
    """A worker node of one run."""
    with guarded.client(guarded.token(Scope.WORKER, OURS)) as client:
        yield client


def whole(guarded: Guarded, task_instance_id: int) -> Any:
    with guarded.client(guarded.token(Scope.OPERATOR)) as client:
        errors = client.get(f"/task_instance/{task_instance_id}/task_instance_error_log").json()
        return client.get(f"/task_instance/{task_instance_id}").json() | errors


@pytest.mark.parametrize("report", REPORTS)
def test_a_token_for_one_run_is_good_for_its_instances(guarded: Guarded, worker: httpx.Client, report: str) -> None:
    stands, body = REPORTS[report]
    instance = pair(*stands, workflow_run_id=OURS)
    assert worker.post(f"/task_instance/{instance}/{report}", json=body).is_success
    assert whole(guarded, instance)["task_instance"]["status"] in {"R", "D", "E"}


@pytest.mark.parametrize(
    "stands", [("R", "R"), ("O", "O"), ("T", "R"), ("K", "R"), ("D", "D"), ("Q", "Q")], ids="/".join
)
@pytest.mark.parametrize("report", REPORTS)
def test_a_token_for_another_run_changes_nothing(
    guarded: Guarded, worker: httpx.Client, report: str, stands: tuple[str, str]
) -> None:
    instance = pair(*stands, workflow_run_id=THEIRS, report_by_in=-1)
    before = whole(guarded, instance)
    reply = worker.post(f"/task_instance/{instance}/{report}", json=REPORTS[report][1])
    assert problem(reply) == (403, "Forbidden")
    assert f"not of workflow run {OURS}" in reply.json()["detail"]
    assert whole(guarded, instance) == before


def test_a_token_for_one_run_finds_its_steps_only(guarded: Guarded, worker: httpx.Client) -> None:
    with guarded.client(guarded.token(Scope.OPERATOR)) as operator:
        array = {"workflow_id": 7_000_123, "task_template_version_id": 1, "max_concurrently_running": 9, "name": "a"}
        array_id = operator.post("/array", json=array).json()["array_id"]
        rows = {str(n): [n, "0", array_id, 1, "t", "true", 3, False, {}, []] for n in (1, 2)}
        bound = operator.put(
            "/task/bind_tasks_no_args", json={"workflow_id": 7_000_123, "mark_created": True, "tasks": rows}
        )
        tasks = sorted(task_id for task_id, _ in bound.json()["tasks"].values())
        for task, run in zip(tasks, (OURS, THEIRS), strict=True):
            queue = {"task_ids": [task], "task_resources_id": 1, "workflow_run_id": run}
            assert operator.post(f"/array/{array_id}/queue_task_batch", json=queue).is_success
    ours, theirs, nobodys = (worker.get(f"/get_array_task_instance_id/{array_id}/{batch}/0") for batch in (1, 2, 3))
    assert ours.json() == {"task_instance_id": tasks[0] * 1000 + 1}
    assert problem(theirs) == problem(nobodys) == (403, "Forbidden")


def test_whether_an_instance_exists_is_not_told_to_another_runs_worker(worker: httpx.Client) -> None:
    for report, (_, body) in REPORTS.items():
        reply = worker.post(f"/task_instance/{NO_ONE}001/{report}", json=body)
        assert problem(reply) == (403, "Forbidden")


def test_what_cannot_be_asked_is_a_503(guarded: Guarded) -> None:
    """API Gateway's word for an authorizer that fails, made into what clients send again on."""
    with serving("--auth", AWS_ENDPOINT_URL_SECRETS_MANAGER="http://127.0.0.1:9") as url:
        headers = bearer(guarded.token(Scope.WORKER))
        reply = httpx.get(f"{url}/api/v3/health", headers=headers, timeout=30, trust_env=False)
    assert problem(reply) == (503, "Service Unavailable")


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[str, str]]:
    """The URL and the port of a system that asks for tokens, as `make run AUTH=on` serves it."""
    with started(alone(), "--port", "0", "--auth", "on") as (serving, url):
        yield url, url.split(":")[2].split("/")[0]
        serving.terminate()


def test_make_token_makes_one_for_what_runs_here(running: tuple[str, str]) -> None:
    url, port = running
    made = run_alone("ops.token", "--scope", "worker", "--days", "2", "--run", "7", "--name", "ann", "--port", port)
    token = made.stdout.strip()
    told = httpx.get(f"{url}/health", headers=bearer(token), trust_env=False)
    not_told = httpx.get(f"{url}/health", trust_env=False)
    assert state_file(int(port)).exists()
    assert "a token of ann for scope worker, workflow run 7 only, until " in made.stderr
    assert (told.status_code, not_told.status_code) == (200, 401)


def test_make_token_makes_one_that_reads_and_changes_nothing(running: tuple[str, str]) -> None:
    url, port = running
    command = ["make", "--silent", "token", "SCOPE=reader", "DAYS=90", f"PORT={port}"]
    made = ended(*command, env=alone())
    headers = bearer(made.stdout.strip())
    read = httpx.get(f"{url}/task_instance/{NO_ONE}", headers=headers, trust_env=False)
    changed = httpx.post(f"{url}/array", headers=headers, json={}, trust_env=False)
    assert (read.status_code, changed.status_code) == (404, 403)


def test_make_token_takes_a_name_as_it_is() -> None:
    command = ["make", "--silent", "token", "SCOPE=worker", "DAYS=1", 'NAME=a" $(false) b', "RUN_ID=x", "PORT=1"]
    made = ended(*command, env=alone())
    assert made.returncode != 0
    assert "'x' is no workflow run's id" in made.stderr


def test_make_token_finds_a_deployed_stacks_secret(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class CloudFormation:
        def describe_stacks(self, StackName: str) -> Any:  # noqa: N803  # as botocore has it
            outputs = {"lockstep": [{"OutputKey": "SigningKeys", "OutputValue": SECRET}], "other": []}
            return {"Stacks": [{"Outputs": outputs[StackName]}]}

    assert table
    monkeypatch.setattr("ops.token.cloudformation", CloudFormation)
    assert secret_of("lockstep") == SECRET
    with pytest.raises(CannotSignError, match="AuthMode=iam"):
        secret_of("other")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--scope", "root", "--days", "1"], "--scope"),
        (["--scope", "worker", "--days", "0"], "no number of days"),
        (["--scope", "worker", "--days", "soon"], "no number of days"),
        (["--scope", "worker", "--days", "401"], "a token of scope worker is good for at most 400 days"),
        (["--scope", "operator", "--days", "91"], "a token of scope operator is good for at most 90 days"),
        (["--scope", "worker", "--days", "1", "--run", "x"], "no workflow run's id"),
        (["--scope", "worker", "--days", "1", "--port", "1"], "nothing runs on port 1"),
    ],
)
def test_make_token_says_what_is_wrong(options: list[str], complaint: str) -> None:
    made = run_alone("ops.token", *options)
    assert made.returncode != 0
    assert made.stdout == ""
    assert complaint in made.stderr
    assert "Traceback" not in made.stderr


def test_make_token_says_that_no_token_is_asked_for() -> None:
    with started(alone(), "--port", "0") as (serving, url):
        made = run_alone("ops.token", "--scope", "worker", "--days", "1", "--port", url.split(":")[2].split("/")[0])
        serving.terminate()
    assert (made.returncode, made.stdout) == (1, "")
    assert "asks for no token" in made.stderr
