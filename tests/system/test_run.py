"""`make run` and `make seed`, as a person uses them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from local.template import ROOT

SEED = ROOT / "events/seed.json"
CODE = [sys.executable, "-m"]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    return os.environ | {"PYTHONPATH": os.pathsep.join((".", "shared"))}


@contextmanager
def running(environment: dict[str, str], *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A system in a process of its own, and its URL."""
    command = [*CODE, "local.run", *options]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, encoding="utf-8") as serving:
        assert serving.stdout
        line = serving.stdout.readline()
        assert line.startswith("Lockstep serves ")
        yield serving, line.split()[2]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_runs_until_it_is_told_to_stop(environment: dict[str, str], tmp_path: Path, how: signal.Signals) -> None:
    ready = tmp_path / "ready.json"
    with running(environment, "--port", "0", "--ready-file", str(ready)) as (serving, url):
        assert httpx.get(f"{url}/health", trust_env=False).json() == {"status": "OK"}
        table = json.loads(ready.read_text(encoding="utf-8"))["table"]
        serving.send_signal(how)
        assert serving.wait() == 128 + how
    assert not ready.exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(table, trust_env=False)


def test_the_banner_names_the_pages_to_open(environment: dict[str, str]) -> None:
    with running(environment, "--port", "0") as (serving, url):
        assert serving.stdout
        named = [serving.stdout.readline().split()[-1] for _ in range(2)]
        base = url.removesuffix("/api/v3")
        assert named == [f"{base}/", f"{base}/docs"]
        for page in named:
            assert httpx.get(page, trust_env=False).headers["content-type"].startswith("text/html")
        serving.terminate()


def test_a_taken_port_is_said(environment: dict[str, str]) -> None:
    with running(environment, "--port", "0") as (serving, url):
        port = url.split(":")[2].split("/")[0]
        second = subprocess.run(
            [*CODE, "local.run", "--port", port],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        serving.terminate()
    assert second.returncode == 1
    assert second.stderr.startswith(f"cannot serve on port {port}: ")


def seed(environment: dict[str, str], file: Path, port: str) -> subprocess.CompletedProcess[str]:
    command = [*CODE, "local.seed", str(file), "--port", port]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)


def test_a_seed_is_loaded_as_a_whole_or_not_at_all(environment: dict[str, str], tmp_path: Path) -> None:
    states = json.loads(SEED.read_text(encoding="utf-8"))
    with running(environment, "--port", "0") as (serving, url):
        port = url.split(":")[2].split("/")[0]
        instance = states["task_instances"][0]["task_instance_id"]
        wrong = tmp_path / "wrong.json"
        wrong.write_text(json.dumps(states | {"tasks": [*states["tasks"], {"task_id": "x"}]}), encoding="utf-8")
        refused = seed(environment, wrong, port)
        assert refused.returncode == 1
        assert "nothing was loaded" in refused.stderr
        assert httpx.get(f"{url}/task_instance/{instance}", trust_env=False).status_code == 404
        loaded = seed(environment, SEED, port)
        assert loaded.stdout.startswith("loaded ")
        assert httpx.get(f"{url}/task_instance/{instance}", trust_env=False).status_code == 200
        serving.terminate()
    nothing = seed(environment, SEED, port)
    assert nothing.returncode == 1
    assert f"nothing runs on port {port}" in nothing.stderr


def test_new_ids_are_behind_the_seeded_ones(environment: dict[str, str]) -> None:
    states = json.loads(SEED.read_text(encoding="utf-8"))
    with running(environment, "--port", "0") as (serving, url):
        assert seed(environment, SEED, url.split(":")[2].split("/")[0]).returncode == 0
        body = {"workflow_id": 1, "task_template_version_id": 1, "max_concurrently_running": 1, "name": "new"}
        array = httpx.post(f"{url}/array", json=body, trust_env=False).json()["array_id"]
        serving.terminate()
    assert array > max(seeded["array_id"] for seeded in states["arrays"])


def test_a_machines_own_settings_do_not_matter(environment: dict[str, str]) -> None:
    """Those of AWS accounts and of proxies: the embedded table is neither in a region nor behind a proxy."""
    theirs = {
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL_DYNAMODB": "",
        "AWS_PROFILE": "nosuch",
        "AWS_REGION": "eu-west-1",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    instance = json.loads(SEED.read_text(encoding="utf-8"))["task_instances"][0]["task_instance_id"]
    with running(environment | theirs | {"TABLE_NAME": "another"}, "--port", "0") as (serving, url):
        loaded = seed(environment | theirs, SEED, url.split(":")[2].split("/")[0])
        assert loaded.returncode == 0, loaded.stderr
        assert httpx.get(f"{url}/task_instance/{instance}", trust_env=False).status_code == 200
        serving.terminate()


@pytest.mark.parametrize(
    ("settings", "options", "said"),
    [
        ({}, ["--port", "99999"], "is no port"),
        ({}, ["--port", "abc"], "is no port"),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:9"}, ["--port", "0"], "no DynamoDB answers at"),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "nonsense"}, ["--port", "0"], "no DynamoDB answers at"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_line(
    environment: dict[str, str], settings: dict[str, str], options: list[str], said: str
) -> None:
    ended = subprocess.run(
        [*CODE, "local.run", *options],
        cwd=ROOT,
        env=environment | settings,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ended.returncode in {1, 2}
    assert said in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


def test_a_system_that_was_killed_is_said_to_be_gone(environment: dict[str, str]) -> None:
    with running(environment, "--port", "0") as (serving, url):
        port = url.split(":")[2].split("/")[0]
        serving.kill()
    refused = seed(environment, SEED, port)
    (ROOT / ".run" / f"{port}.json").unlink()
    assert refused.returncode == 1
    assert refused.stderr.startswith("nothing answers at http://127.0.0.1:")
    assert "Traceback" not in refused.stderr


def test_no_credentials_are_written_down(environment: dict[str, str], tmp_path: Path) -> None:
    """Neither the embedded engine's nor those of somebody who brings an endpoint."""
    theirs = {"AWS_ACCESS_KEY_ID": "their-key", "AWS_SECRET_ACCESS_KEY": "their-secret"}
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    with running(environment | theirs, "--port", "0", "--ready-file", str(first)) as (serving, _):
        named = (
            environment | theirs | {"AWS_ENDPOINT_URL_DYNAMODB": json.loads(first.read_text(encoding="utf-8"))["table"]}
        )
        with running(named, "--port", "0", "--ready-file", str(second)) as (another, url):
            states = [json.loads(file.read_text(encoding="utf-8")) for file in (first, second)]
            loaded = seed(named, SEED, url.split(":")[2].split("/")[0])
            another.terminate()
        serving.terminate()
    assert loaded.returncode == 0
    assert [state["embedded"] for state in states] == [True, False]
    assert "their-" not in json.dumps(states)
