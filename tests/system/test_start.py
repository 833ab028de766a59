"""How programs that make starts end on a signal, and which of the machine's settings reach them."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from local.template import ROOT
from tests.support.serving import Ended, ended

HOSTILE = {
    "ALL_PROXY": "http://127.0.0.1:9",
    "AUTH": "basic",
    "AWS_CA_BUNDLE": "/nowhere",
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_DYNAMODB": "",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_PROFILE": "nosuch",
    "AWS_REGION": "eu-west-1",
    "DATA": "/nowhere",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "KEEP": "",
    "LC_ALL": "C",
    "LOG": "/nowhere",
    "LOG_LEVEL": "nosuch",
    "NAME": "",
    "NO_PROXY": "example.org",
    "PIP_TARGET": "/nowhere",
    "POWERTOOLS_DEV": "1",
    "PYTHONHOME": "/nowhere",
    "PYTHONOPTIMIZE": "2",
    "PYTHONPATH": "/nowhere",
    "PYTHONUTF8": "0",
    "PYTHONWARNINGS": "error",
    "SEED": "",
    "TABLE_NAME": "another",
    "TZ": "Asia/Kolkata",
    "WORKERS": "many",
    "http_proxy": "http://127.0.0.1:9",
}
DELAYS = (0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.2)


def environment(**settings: str) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "AWS_", "POWERTOOLS_"))}
    return ours | settings


def make(*arguments: str, **settings: str) -> Ended:
    return ended("make", "--silent", *arguments, env=environment(**settings))


def started(target: str, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = ["make", "--silent", target, *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment(**settings), stdout=pipe, stderr=pipe, encoding="utf-8", process_group=0
    )


@contextmanager
def running(*given: str, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with started("run", "PORT=0", *given, **settings) as process:
        assert process.stdout
        url = process.stdout.readline().split()[2]
        for _ in range(2):  # it names the pages to open, too
            process.stdout.readline()
        yield process, url


def interrupt(process: subprocess.Popen[str]) -> str:
    """What a program prints that Ctrl-C ends, as a terminal sends it: to make and to all that it started.

    Make ends by the signal. Where the machine lets the program end before make runs again, make learns of that end
    first: it says so and exits with 2. Only make may say something: a program that a signal ends has no errors to tell.
    """
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate()
    assert process.returncode in {-signal.SIGINT, 2}
    assert [line for line in errors.splitlines() if not line.startswith("make: ")] == []
    return output


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("target", ["run", "event", "demo"])
def test_ctrl_c_ends_a_program_at_any_moment_of_its_start(target: str, delay: float) -> None:
    with started(target, *(["PORT=0"] if target == "run" else [])) as process:
        time.sleep(delay)
        if process.poll() is None:
            output = interrupt(process)
            assert output == "" or output.endswith("stopped\n") or target == "event"


def test_a_half_sent_request_is_not_waited_for() -> None:
    with running() as (process, url):
        address = httpx.URL(url)
        with socket.create_connection((address.host, address.port or 0)) as half:
            half.sendall(b"POST /api/v3/array HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            httpx.get(f"{url}/health", trust_env=False)
            assert interrupt(process).endswith("stopped\n")
            assert half.recv(1) == b""
    assert "graceful" not in (process.stderr.read() if process.stderr and not process.stderr.closed else "")


def test_a_hostile_machine_changes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(f"DATA={data}", **HOSTILE, HOME=str(tmp_path)) as (process, url):
        port = f"PORT={httpx.URL(url).port}"
        seeded = make("seed", "FILE=events/seed.json", port, **HOSTILE)
        audited = make("audit", port, **HOSTILE)
        told = httpx.post(f"{url}/task_instance/7027001/log_done", content="{}", trust_env=False)
        log = interrupt(process)
    assert re.match(r"loaded \d+ workflows, \d+ arrays, \d+ tasks, ", seeded.stdout), seeded.stderr
    assert (audited.returncode, "Everything fits together." in audited.stdout) == (0, True), audited.stdout
    assert told.status_code == 200
    assert re.search(r"POST /api/v3/task_instance/7027001/log_done +200 TRIAGING → DONE\n", log)
    assert json.loads(make("invoke", "EVENT=log_done", **HOSTILE).stdout)["statusCode"] == 200
    assert data.is_dir()


@pytest.mark.parametrize(
    "given", ["run AUTH=", "run DATA=", "token STACK=", "seed FILE=", "audit REGION=", "event NAME="]
)
def test_an_empty_variable_is_an_error_that_names_it(given: str) -> None:
    refused = make(*given.split())
    assert refused.returncode == 2
    assert f"{given.split()[1].removesuffix('=')} is empty" in refused.stderr
