"""What is deployed, run as Lambda runs it: every function's folder and the layer, under awslambdaric."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from local.engine import create_table
from local.events import SEED, Event, cases, read, reply_body, route_name
from local.events_document import record
from local.layer import LAMBDA_PYTHON, NEVER, imported_by
from local.secret import SECRET_VARIABLE, SECRETS_VARIABLE, use_new_secret
from local.template import ROOT, Function, Template
from lockstep.access.scopes import Scope
from lockstep.access.signing_keys import client, current
from lockstep.access.tokens import Grant
from ops.token import make
from tests.conformance.cases import Send, replay
from tests.deployment.artifact import lambdas
from tests.deployment.artifact.lambdas import FunctionError, Lambda, NoAnswerError
from tests.deployment.artifact.usage import PROC, peak_mib
from tests.support.changes import task

FUNCTIONS: Final = {function.name: function for function in Template().functions}
TABLE: Final = "artifacts"

Start = Callable[[Function], AbstractContextManager[Lambda]]


@pytest.fixture(scope="module")
def settings(table: str) -> dict[str, str]:
    """Where functions find a table of their own, which events/seed.json describes."""
    of_table = {"AWS_ENDPOINT_URL_DYNAMODB": table, "TABLE_NAME": TABLE}
    create_table(table, TABLE)
    environment = os.environ | of_table | {"PYTHONPATH": os.pathsep.join((".", "shared"))}
    subprocess.run([sys.executable, "-m", "local.seed", SEED], cwd=ROOT, env=environment, check=True)
    return of_table


@pytest.fixture(scope="module")
def start(settings: dict[str, str], host_layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Starts a function."""
    scratch = tmp_path_factory.mktemp("scratch")
    return lambda function: lambdas.start(function, host_layer, settings, scratch)


def sender(*functions: Lambda) -> Send:
    by_name = {each.function.name: each for each in functions}

    def send(name: str, event: Event) -> tuple[int, Any]:
        reply = by_name[route_name(name)].invoke(event)
        return reply["statusCode"], reply_body(reply)

    return send


@pytest.fixture(scope="module")
def ask(start: Start) -> Iterator[Send]:
    """Two functions that say how things stand."""
    with start(FUNCTIONS["get_task_instance"]) as instance, start(FUNCTIONS["task_instance_error_log"]) as errors:
        yield sender(instance, errors)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_starts_and_one_process_answers_all_its_events(start: Start, ask: Send, name: str) -> None:
    with start(FUNCTIONS[name]) as warm:
        send = sender(warm)
        for case in cases():
            if route_name(case) == name:
                replay(case, send, ask)
        logged = [json.loads(line) for line in warm.stdout().splitlines()]
        assert [line["request_id"] for line in logged] == warm.request_ids
        if PROC.is_dir():
            peak = peak_mib(warm.pid)
            print(f"{name}: at most {peak:.0f} MiB of {warm.function.memory}")  # noqa: T201  # pytest -rP shows it
            assert peak < warm.function.memory


def test_the_authorizer_says_who_may_call_and_who_may_not(
    start: Start, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in (SECRET_VARIABLE, SECRETS_VARIABLE):
        monkeypatch.setenv(variable, "as it was")  # and is again afterwards
    use_new_secret(table, "artifacts")
    found = {SECRET_VARIABLE: "artifacts", SECRETS_VARIABLE: table}
    authorizer = FUNCTIONS["authorizer"]
    talkative = {**authorizer.logging, "ApplicationLogLevel": "DEBUG"}  # even then no library writes what it sends
    with start(replace(authorizer, variables={**authorizer.variables, **found}, logging=talkative)) as warm:
        called = "arn:aws:execute-api:us-east-1:000000000000:abc/v1/GET/api/v3/health"
        event = {"type": "TOKEN", "methodArn": called, "authorizationToken": "Bearer x"}
        with pytest.raises(FunctionError) as raised:
            warm.invoke(event)
        assert raised.value.reported["errorMessage"] == "Unauthorized"  # word for word: what makes it a 401
        token = make(Grant("ann", Scope.WORKER, 7), 1, "artifacts")
        answer = warm.invoke(event | {"authorizationToken": f"Bearer {token}"})
        assert answer["principalId"] == "ann"
        assert answer["context"].items() >= {"scope": "worker", "workflow_run_id": 7}.items()
        assert answer["context"].keys() == {"scope", "workflow_run_id", "expires_at", "token_id"}
        assert called in answer["policyDocument"]["Statement"][0]["Resource"]
        key = current(client(), "artifacts")
        assert key not in warm.stdout() + warm.stderr()


def test_changes_are_told(start: Start) -> None:
    with start(FUNCTIONS["tell_changes"]) as warm:
        moved, beat = record(task("D"), task("R")), record(task("R"), task("R"))
        bad = moved | {"eventName": "?"}
        [event] = warm.invoke([moved, beat, bad])
        assert (event["detail-type"], event["detail"]["to"]) == ("Task Status Change", "D")
        [line] = [json.loads(line) for line in warm.stdout().splitlines()]
        assert (line["level"], line["ChangesUnreadable"]) == ("WARNING", [1.0])


def test_the_log_level_is_the_templates_parameter_and_metrics_come_all_the_same(start: Start) -> None:
    """Lambda's own level, which the Logger would heed before it, stays at INFO."""
    health = FUNCTIONS["get_task_instance"]
    with start(replace(health, variables={**health.variables, "POWERTOOLS_LOG_LEVEL": "ERROR"})) as warm:
        assert sender(warm)("get_task_instance.unknown_id", read("get_task_instance.unknown_id"))[0] == 404
        [line] = [json.loads(line) for line in warm.stdout().splitlines()]
    assert "_aws" in line
    assert "message" not in line


def test_an_event_that_is_not_api_gateways_does_not_end_the_process(start: Start) -> None:
    with start(FUNCTIONS["health"]) as warm:
        with suppress(FunctionError):
            warm.invoke({})
        assert sender(warm)("health", read("health")) == (200, {"status": "OK"})


def test_a_function_finds_nothing_beside_the_layer_but_its_runtime() -> None:
    found = subprocess.run(
        [LAMBDA_PYTHON, "-c", "import sys; print(sys.path[-1])"], capture_output=True, encoding="utf-8", check=True
    )
    names = {path.name.partition("-")[0].partition(".")[0] for path in Path(found.stdout.strip()).iterdir()}
    assert names - {"__pycache__"} == {"awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py"}


@cache
def modules_of(name: str, layer: Path) -> list[str]:
    return imported_by(FUNCTIONS[name], layer)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_imports_nothing_that_it_can_do_without(host_layer: Path, name: str) -> None:
    imported = modules_of(name, host_layer)
    assert "aws_lambda_powertools.logging" in imported
    assert not [module for module in imported if module.startswith(NEVER)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_asks_no_table_imports_no_storage(host_layer: Path, name: str) -> None:
    """Powertools imports the package botocore for its version, but none of its modules that make a client.

    tell_changes asks no table, but is handed items of one, which PynamoDB parses.
    """
    imported = modules_of(name, host_layer)
    if name == "tell_changes":
        assert "pynamodb" in imported
        return
    grants = Template().grants[name]
    assert ("pynamodb" in imported) == any(grant.action.startswith("dynamodb:") for grant in grants)
    assert ("botocore.client" in imported) == bool(grants)


def test_a_layer_without_a_requirement_is_noticed(
    host_layer: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    layer = tmp_path / "python"
    layer.mkdir()
    for path in host_layer.iterdir():
        if path.name != "jmespath":
            layer.joinpath(path.name).symlink_to(path)
    starting = lambdas.start(FUNCTIONS["health"], layer, {}, tmp_path_factory.mktemp("scratch"))
    with pytest.raises(NoAnswerError, match=r"INIT_ERROR.*No module named 'jmespath'"), starting:
        pass


def stub(folder: Path, body: str) -> Function:
    """A function that says something and then does what it is told."""
    (folder / "app.py").write_text(
        f"""
import sys
def lambda_handler(event, context):
    print("its last words", file=sys.stderr)
    {body}
""",
        encoding="utf-8",
    )
    return replace(FUNCTIONS["health"], folder=folder, timeout=1)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        pytest.param("import threading; threading.Event().wait()", "said nothing for 1 s", id="never"),
        pytest.param("import os; os._exit(3)", "ENDED exit status 3", id="ends"),
    ],
)
def test_a_function_that_does_not_answer_is_noticed(start: Start, tmp_path: Path, body: str, complaint: str) -> None:
    with start(stub(tmp_path, body)) as silent, pytest.raises(NoAnswerError, match=f"{complaint}\nits last words"):
        silent.invoke({})


def test_what_runs_here_and_what_is_deployed_differ_in_what_is_compiled_only(
    host_layer: Path, lambda_layer: Path
) -> None:
    assert contents(host_layer) == contents(lambda_layer)


def contents(layer: Path) -> dict[Path, bytes]:
    """Every file but the compiled package's, and what is compiled for one Python."""
    files = (path for path in layer.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {
        path.relative_to(layer): path.read_bytes()
        for path in files
        if not path.relative_to(layer).parts[0].startswith("pydantic_core")
    }
