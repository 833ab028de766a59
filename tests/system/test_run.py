"""`make run` and `make seed`, as a person uses them."""

import json
import signal
from pathlib import Path

import httpx
import pytest

from local.template import ROOT
from tests.support.serving import Ended, alone, port_of, run_alone, running

SEED = ROOT / "events/seed.json"
STATES = json.loads(SEED.read_text(encoding="utf-8"))


def seed(url: str, file: Path = SEED, **settings: str) -> Ended:
    return run_alone("local.seed", file, "--port", port_of(url), **settings)


def status_of_an_instance(url: str) -> int:
    """Of the reply about the first that is seeded."""
    instance = STATES["task_instances"][0]["task_instance_id"]
    return httpx.get(f"{url}/task_instance/{instance}", trust_env=False).status_code


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_runs_until_it_is_told_to_stop(tmp_path: Path, how: signal.Signals) -> None:
    ready = tmp_path / "ready.json"
    with running(alone(), "--ready-file", str(ready)) as (serving, url):
        assert httpx.get(f"{url}/health", trust_env=False).json() == {"status": "OK"}
        table = json.loads(ready.read_text(encoding="utf-8"))["table"]
        serving.send_signal(how)
        assert serving.wait() == 128 + how
    assert not ready.exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(table, trust_env=False)


def test_the_banner_names_the_pages_to_open() -> None:
    with running(alone()) as (serving, url):
        assert serving.stdout
        named = [serving.stdout.readline().split()[-1] for _ in range(2)]
        base = url.removesuffix("/api/v3")
        assert named == [f"{base}/", f"{base}/docs"]
        for page in named:
            assert httpx.get(page, trust_env=False).headers["content-type"].startswith("text/html")


def test_a_taken_port_is_said() -> None:
    with running(alone()) as (_, url):
        second = run_alone("local.run", "--port", port_of(url))
    assert second.returncode == 1
    assert second.stderr.startswith(f"cannot serve on port {port_of(url)}: ")


def test_a_seed_is_loaded_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    with running(alone()) as (_, url):
        wrong = tmp_path / "wrong.json"
        wrong.write_text(json.dumps(STATES | {"tasks": [*STATES["tasks"], {"task_id": "x"}]}), encoding="utf-8")
        refused = seed(url, wrong)
        assert refused.returncode == 1
        assert "nothing was loaded" in refused.stderr
        assert status_of_an_instance(url) == 404
        assert seed(url).stdout.startswith("loaded ")
        assert status_of_an_instance(url) == 200
        body = {"workflow_id": 1, "task_template_version_id": 1, "max_concurrently_running": 1, "name": "new"}
        array = httpx.post(f"{url}/array", json=body, trust_env=False).json()["array_id"]
        assert array > max(seeded["array_id"] for seeded in STATES["arrays"]), "new ids are behind the seeded ones"
    nothing = seed(url)
    assert nothing.returncode == 1
    assert f"nothing runs on port {port_of(url)}" in nothing.stderr


@pytest.mark.parametrize(
    ("settings", "options", "said"),
    [
        ({}, ["--port", "99999"], "is no port"),
        ({}, ["--port", "abc"], "is no port"),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"}, ["--port", "0"], "no DynamoDB answers at"),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "nonsense"}, ["--port", "0"], "no DynamoDB answers at"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_line(settings: dict[str, str], options: list[str], said: str) -> None:
    refused = run_alone("local.run", *options, **settings)
    assert refused.returncode in {1, 2}
    assert said in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr


def test_a_system_that_was_killed_is_said_to_be_gone() -> None:
    with running(alone()) as (serving, url):
        serving.kill()
    refused = seed(url)
    (ROOT / ".run" / f"{port_of(url)}.json").unlink()
    assert refused.returncode == 1
    assert refused.stderr.startswith("nothing answers at http://127.0.0.1:")
    assert "Traceback" not in refused.stderr


def test_no_credentials_are_written_down(tmp_path: Path) -> None:
    """Neither the embedded engine's nor those of somebody who brings an endpoint."""
    theirs = {"AWS_ACCESS_KEY_ID": "their-key", "AWS_SECRET_ACCESS_KEY": "their-secret"}
    files = [tmp_path / "first.json", tmp_path / "second.json"]
    with running(alone() | theirs, "--ready-file", str(files[0])):
        theirs["AWS_ENDPOINT_URL_DYNAMODB"] = json.loads(files[0].read_text(encoding="utf-8"))["table"]
        with running(alone() | theirs, "--ready-file", str(files[1])) as (_, url):
            states = [json.loads(file.read_text(encoding="utf-8")) for file in files]
            assert seed(url, SEED, **theirs).returncode == 0
    assert [state["embedded"] for state in states] == [True, False]
    assert "their-" not in json.dumps(states)
