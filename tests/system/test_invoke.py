"""`make invoke`: one function in a process of its own, with an event by its name or from a file."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.engine import free_port
from local.events import SEED, cases
from local.template import ROOT
from tests.support.serving import Ended, run_alone, run_module

pytestmark = pytest.mark.xdist_group("events")

ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"


def invoke(*arguments: str | Path, **environment: str) -> Ended:
    return run_alone("local.invoke", *arguments, **{"POWERTOOLS_LOG_LEVEL": "INFO"} | environment)


def replied(done: Ended) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    reply: dict[str, Any] = json.loads(done.stdout)
    return reply


def test_the_reply_is_all_that_goes_to_standard_output() -> None:
    done = invoke("log_done")
    assert replied(done) == {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": {"status": "D"},
    }


def test_standard_error_says_what_was_seeded_and_carries_the_log() -> None:
    seeded, line = invoke("log_done").stderr.splitlines()
    assert seeded.startswith("loaded ")
    assert seeded.endswith(f"items of {SEED}")
    logged = json.loads(line)
    assert logged["message"] == "POST /api/v3/task_instance/7001001/log_done"
    assert logged["workflow_run_id"] == "6100"


def test_an_answer_that_is_an_error_is_still_an_answer() -> None:
    reply = replied(invoke("log_done.unknown_id"))
    assert reply["statusCode"] == 404
    assert reply["body"]["title"] == "Not Found"


def test_a_table_that_the_caller_brought_is_seeded_only_when_asked(table: str) -> None:
    brought = {ENDPOINT: table, "TABLE_NAME": "brought"}
    plain = invoke("log_done", **brought)
    assert replied(plain)["statusCode"] == 404
    assert plain.stderr.startswith(f"used the table at {table} as it is\n")
    assert replied(invoke("--seed", "log_done", **brought))["body"] == {"status": "D"}


def test_an_event_in_a_file_finds_the_seed_beside_it() -> None:
    done = invoke("events/log_done.json")
    assert replied(done)["body"] == {"status": "D"}
    assert done.stderr.splitlines()[0].endswith("items of events/seed.json")


def test_an_unknown_name_is_one_line_with_near_ones_and_exit_code_2() -> None:
    done = invoke("log_done.untimly")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("no event log_done.untimly in events/cases; near: log_done.untimely, ")
    assert done.stderr.count("\n") == 1


def test_an_event_without_a_seed_beside_it_finds_an_empty_table(tmp_path: Path) -> None:
    event = tmp_path / "log_done.json"
    event.write_bytes((ROOT / "events/log_done.json").read_bytes())
    done = invoke(event)
    assert replied(done)["statusCode"] == 404
    assert done.stderr.startswith(f"there is no {tmp_path / 'seed.json'}: nothing was loaded\n")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(None, "cannot read {file}: No such file or directory", id="no such file"),
        pytest.param("{'a': 1}", "{file} is not JSON: Expecting property name", id="not JSON"),
        pytest.param("[]", "{file} holds no event: it is not a JSON object", id="not an object"),
        pytest.param(
            '{"httpMethod": "PATCH", "resource": "/api/v3/health"}',
            "no route is PATCH /api/v3/health",
            id="no such route",
        ),
        pytest.param("{}", "no route is None None", id="no route at all"),
    ],
)
def test_what_cannot_be_called_is_one_line_and_exit_code_2(tmp_path: Path, content: str | None, complaint: str) -> None:
    file = tmp_path / "event.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    done = invoke(file)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(complaint.format(file=file))
    assert done.stderr.count("\n") == 1


def test_a_table_out_of_reach_is_one_line_and_exit_code_2() -> None:
    done = invoke("health", **{ENDPOINT: f"http://127.0.0.1:{free_port()}"})
    assert done.returncode == 2
    assert done.stderr.startswith("no DynamoDB answers at ")
    assert done.stderr.count("\n") == 1


def test_a_function_that_does_not_answer_is_exit_code_1(tmp_path: Path) -> None:
    event = tmp_path / "health.json"
    event.write_text('{"httpMethod": "GET", "resource": "/api/v3/health"}', encoding="utf-8")
    done = invoke(event)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.endswith("health ended with exit code 1 and did not answer\n")


def test_make_event_prints_an_event_that_invoke_takes_as_a_file(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(run_module("local.events", "log_done.id_not_a_number").stdout, encoding="utf-8")
    assert replied(invoke(event))["statusCode"] == 422


def test_make_event_lists_the_names_and_refuses_an_unknown_one() -> None:
    assert [line.split()[0] for line in run_module("local.events").stdout.splitlines()] == list(cases())
    refused = run_module("local.events", "log_doen")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "log_done" in refused.stderr
