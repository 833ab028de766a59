"""What the benchmark counts does what it says, counted or not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from shutil import copytree

import botocore.session
import pytest

from bench.callgrind import PYTHON, CannotCountError, count
from bench.counted.waterfall import STAGES
from bench.document import made
from bench.functions import THE_CALL
from bench.levers import LEVERS, Edit, Lever, layer_without
from bench.recording import Recorder
from bench.row import SQLITE, Row, Section
from bench.setting import COUNTED
from bench.stub import Call, Stub, stub
from local.engine import LOCAL_SETTINGS
from local.template import ROOT, Template

REFUSED = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}
CALLS = [
    Call("dynamodb", "GetItem", {"TableName": "t", "Key": {"pk": {"S": "a"}}}, 200, '{"Item": {"pk": {"S": "a"}}}'),
    Call("dynamodb", "GetItem", {"TableName": "t", "Key": {"pk": {"S": "b"}}}, 200, "{}"),
    Call("dynamodb", "PutItem", {"TableName": "t", "Item": {"pk": {"S": "a"}}}, 400, json.dumps(REFUSED)),
]


@pytest.fixture
def wire() -> Iterator[Stub]:
    with stub() as each:
        each.expect("some_function", CALLS)
        yield each


@pytest.fixture
def roots(wire: Stub, tmp_path: Path) -> Path:
    file = tmp_path / "roots.pem"
    file.write_text(wire.authority)
    return file


def test_the_stand_in_answers_each_operation_in_order_over_and_over(wire: Stub, roots: Path) -> None:
    session = botocore.session.get_session()
    session.set_credentials("nobody's", "nobody's")
    url = wire.url("some_function")
    client = session.create_client("dynamodb", "us-east-1", endpoint_url=url, verify=str(roots))
    found = [client.get_item(**CALLS[0].params).get("Item") for _ in range(4)]
    assert found == [{"pk": {"S": "a"}}, None] * 2
    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.put_item(**CALLS[2].params)


def test_the_bare_client_makes_the_calls_whatever_the_answer(wire: Stub, roots: Path, tmp_path: Path) -> None:
    groups = tmp_path / "groups.json"
    groups.write_text(json.dumps([{"url": wire.url("some_function"), "calls": [asdict(call) for call in CALLS]}]))
    environment = {**os.environ, **LOCAL_SETTINGS, "AWS_CA_BUNDLE": str(roots)}
    subprocess.run([sys.executable, COUNTED / "raw.py", groups, "2"], env=environment, check=True)


@pytest.mark.parametrize("program", ["handler.py", "waterfall.py"])
def test_a_function_is_driven_to_its_replies(
    table: str, wire: Stub, host_layer: Path, tmp_path: Path, program: str
) -> None:
    recorder = Recorder(table, f"signing-keys-of-{program}")
    wire.expect("log_done", recorder.serve("log_done"))
    event, stages = tmp_path / "event.json", tmp_path / "stages.json"
    event.write_text(json.dumps(recorder.event("log_done")))
    layer = copytree(host_layer, tmp_path / "layer")
    with (layer / "botocore/cacert.pem").open("a") as authorities:
        authorities.write(wire.authority)
    environment = {
        **LOCAL_SETTINGS,
        "AWS_ENDPOINT_URL_DYNAMODB": wire.url("log_done"),
        "PYTHONPATH": os.pathsep.join((str(ROOT / "functions/log_done"), str(layer))),
    }
    output = subprocess.check_output([PYTHON, COUNTED / program, event, "2", stages], env=environment)
    statuses = {json.loads(line)["status"] for line in output.splitlines()}
    assert statuses == {HTTPStatus.OK}
    if program == "waterfall.py":
        assert set(json.loads(stages.read_text())) >= {*STAGES.values(), *THE_CALL, "a mark", "the rest"} - {"metrics"}


def test_every_functions_calls_can_be_recorded(table: str) -> None:
    recorder = Recorder(table, "signing-keys-of-all")
    asks = {function.name: len(recorder.serve(function.name)) for function in Template().functions}
    assert {name for name, calls in asks.items() if not calls} == {"health", "get_cluster"}
    assert asks["log_done"] == 1


EDITED = [lever for lever in LEVERS if isinstance(lever.without, Edit)]


@pytest.mark.parametrize("lever", EDITED, ids=lambda each: each.name)
def test_a_lever_can_be_taken_out(host_layer: Path, tmp_path: Path, lever: Lever) -> None:
    without = layer_without(lever, host_layer, tmp_path)
    program = "import lockstep.endpoint, lockstep.advance, lockstep.table; lockstep.table.connection()"
    environment = {**LOCAL_SETTINGS, "PYTHONPATH": str(without)}
    subprocess.run([PYTHON, "-c", program], env=environment, check=True)


def test_without_valgrind_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotCountError, match="valgrind is not installed"):
        count(["-c", ""], {})


def test_the_document_has_every_row_and_what_is_missed() -> None:
    rows = [Row("a", "1", "≤ 2", met=True), Row("b", "3", "≤ 2", met=False), Row("c", "4", peers={SQLITE: "5"})]
    lines = made([Section("A title", "How.", rows)]).splitlines()
    assert {"## A title", "How.", "| a | 1 | ≤ 2 | yes |  |  |", "| b | 3 | ≤ 2 | **no** |  |  |"} <= set(lines)
    assert "| c | 4 |  |  | 5 |  |" in lines
