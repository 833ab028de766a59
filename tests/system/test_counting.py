"""What the benchmark counts does what it says, counted or not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from shutil import copytree

import botocore.session
import pytest

from bench.callgrind import CannotCountError, count
from bench.counted.waterfall import STAGES
from bench.document import made
from bench.functions import THE_CALL
from bench.levers import LEVERS, Edit, Lever, layer_without
from bench.row import SQLITE, Row, Section
from bench.setting import COUNTED, MORE, SECRET, counted
from bench.stub import Call, Stub, stub
from local.engine import LOCAL_SETTINGS
from local.events import Event, cases, route_name
from local.layer import LAMBDA_PYTHON
from local.template import ROOT
from lockstep.routes import ROUTES
from tests.support.serving import alone

REFUSED = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}
CALLS = [
    Call("dynamodb", "GetItem", {"TableName": "t", "Key": {"pk": {"S": "a"}}}, 200, '{"Item": {"pk": {"S": "a"}}}'),
    Call("dynamodb", "GetItem", {"TableName": "t", "Key": {"pk": {"S": "b"}}}, 200, "{}"),
    Call("dynamodb", "PutItem", {"TableName": "t", "Item": {"pk": {"S": "a"}}}, 400, json.dumps(REFUSED)),
    Call("dynamodb", "PutItem", {"TableName": "t", "Item": {"pk": {"B": "AAE="}}}, 200, "{}"),
]


@pytest.fixture
def wire() -> Iterator[Stub]:
    with stub() as each:
        each.expect("some_function", CALLS)
        yield each


@pytest.fixture
def roots(wire: Stub, tmp_path: Path) -> Path:
    file = tmp_path / "roots.pem"
    file.write_text(wire.authority, encoding="utf-8")
    return file


def test_the_stand_in_answers_a_call_as_it_was_answered_whenever_it_is_made(wire: Stub, roots: Path) -> None:
    session = botocore.session.get_session()
    session.set_credentials("nobody's", "nobody's")
    url = wire.url("some_function")
    client = session.create_client("dynamodb", "us-east-1", endpoint_url=url, verify=str(roots))
    found = [client.get_item(**CALLS[number].params).get("Item") for number in (1, 0, 0, 1)]
    assert found == [None, {"pk": {"S": "a"}}, {"pk": {"S": "a"}}, None]
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.put_item(**CALLS[2].params)


def test_the_bare_client_makes_the_calls_whatever_the_answer(wire: Stub, roots: Path, tmp_path: Path) -> None:
    groups = tmp_path / "groups.json"
    groups.write_text(
        json.dumps([{"url": wire.url("some_function"), "calls": [asdict(call) for call in CALLS]}]), encoding="utf-8"
    )
    environment = {**os.environ, **LOCAL_SETTINGS, "AWS_CA_BUNDLE": str(roots)}
    subprocess.run([sys.executable, COUNTED / "raw.py", groups, "2"], env=environment, check=True)


RECORDED = f"""
import json, sys
from dataclasses import asdict
from bench.recording import Recorder
from local.engine import dynamodb
with dynamodb("lockstep") as endpoint:
    recorder = Recorder(endpoint, "{SECRET}")
    found = {{name: [[asdict(call) for call in recorder.serve(name)], recorder.event(name)] for name in sys.argv[1:]}}
print(json.dumps(found))
"""
Recorded = dict[str, tuple[list[Call], Event]]
FUNCTIONS = counted()
EVENTS = [
    "authorizer",
    "health",
    "get_time",
    "log_running",
    "log_done",
    *MORE,
    "sync_status",
    "queue_task_batch",
    "bind_tasks_no_args",
    "create_workflow_run",
]
"""One of each kind: without a table, with one call, with many side by side. `make bench` serves all functions."""


def test_each_function_that_is_counted_has_an_event() -> None:
    assert set(FUNCTIONS) - {"authorizer"} == {route.name for route in ROUTES} <= set(cases())


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    """By event; of an engine of their own, for events are served once, and others have them too."""
    program = [sys.executable, "-c", RECORDED, *EVENTS]
    said = json.loads(subprocess.check_output(program, cwd=ROOT, env=alone(), encoding="utf-8"))
    return {name: ([Call(**call) for call in calls], event) for name, (calls, event) in said.items()}


@pytest.fixture(scope="module")
def deployed(host_layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(copytree(host_layer, tmp_path_factory.mktemp("deployed") / "python"))


@pytest.mark.parametrize("name", EVENTS)
def test_a_function_makes_the_calls_that_were_recorded_event_after_event(
    recorded: Recorded, deployed: Path, tmp_path: Path, name: str
) -> None:
    calls, event = recorded[name]
    with stub() as wire:
        wire.expect(name, calls)
        drive("handler.py", wire, name, event, deployed, tmp_path)
        assert wire.refused == []


def test_the_stages_of_a_function_are_passed(recorded: Recorded, deployed: Path, tmp_path: Path) -> None:
    calls, event = recorded["log_done"]
    with stub() as wire:
        wire.expect("log_done", calls)
        drive("waterfall.py", wire, "log_done", event, deployed, tmp_path)
        assert wire.refused == []
    passed = set(json.loads((tmp_path / "stages").read_text(encoding="utf-8")))
    assert passed >= {*STAGES.values(), *THE_CALL, "a mark", "the rest"} - {"metrics"}


def drive(program: str, wire: Stub, name: str, event: Event, layer: Path, folder: Path) -> None:
    event_file = folder / "event"
    event_file.write_text(json.dumps(event), encoding="utf-8")
    (layer / "botocore/cacert.pem").write_text(wire.authority, encoding="utf-8")
    environment = {
        **LOCAL_SETTINGS,
        "AUTH_MODE": "token",
        "AWS_ENDPOINT_URL_DYNAMODB": wire.url(name),
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": wire.url(name),
        "SIGNING_KEYS": SECRET,
        "PYTHONPATH": os.pathsep.join((str(FUNCTIONS[route_name(name)].folder), str(layer))),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    subprocess.run([LAMBDA_PYTHON, COUNTED / program, event_file, "2", folder / "stages"], env=environment, check=True)


BEHAVIOUR = """
import gc, json
asked = []
gc.set_threshold = lambda *_, real=gc.set_threshold: asked.append(1) or real(*_)
from lockstep import observability
from lockstep.dynamodb import client as table
from lockstep.http import endpoint
from lockstep.task_instance import store
config = table.connection().client.meta.config
print(json.dumps([
    len(asked),
    config.user_agent.startswith("Lockstep"),
    type(observability.logger.registered_formatter).__name__,
    hasattr(store._one_of, "cache_info"),
]))
"""
EDITED = [lever for lever in LEVERS if isinstance(lever.without, Edit)]


def behaviour(layer: Path) -> list[object]:
    environment = {**LOCAL_SETTINGS, "PYTHONPATH": str(layer)}
    said: list[object] = json.loads(subprocess.check_output([LAMBDA_PYTHON, "-c", BEHAVIOUR], env=environment))
    return said


@pytest.mark.parametrize("lever", EDITED, ids=lambda each: each.name)
def test_a_lever_that_is_taken_out_is_out_and_no_other_is(host_layer: Path, tmp_path: Path, lever: Lever) -> None:
    usual, without = behaviour(host_layer), behaviour(layer_without(lever, host_layer, tmp_path))
    assert [one == other for one, other in zip(usual, without, strict=True)].count(False) == 1


def test_without_valgrind_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotCountError, match="valgrind is not installed"):
        count(["-c", ""], {})


def test_the_document_has_every_row_and_what_is_missed() -> None:
    rows = [Row("a", "1", "≤ 2", met=True), Row("b", "3", "≤ 2", met=False), Row("c", "4", peers={SQLITE: "5"})]
    lines = made([Section("A title", "How.", rows)]).splitlines()
    assert {"## A title", "How.", "| a | 1 | ≤ 2 | yes |  |  |  |", "| b | 3 | ≤ 2 | **no** |  |  |  |"} <= set(lines)
    assert "| c | 4 |  |  |  | 5 |  |" in lines
