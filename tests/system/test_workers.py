"""`make run WORKERS=2`: several processes serve one port, and everything is as with one."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from local import workers
from local.engine import free_port
from local.template import ROOT
from tests.support.seeding import pair
from tests.support.serving import alone, run_module, serving

WORKERS = 2
NAMES = {"nodename": "n1", "process_group_id": 1, "distributor_id": "77", "next_report_increment": 279}


@contextmanager
def make_run(port: str = "0") -> Iterator["tuple[subprocess.Popen[str], str]"]:
    """A system in processes of its own, and its URL."""
    command = [sys.executable, "-m", "local", "local.run", "--port", port, "--workers", str(WORKERS)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=alone(), stdout=pipe, stderr=pipe, encoding="utf-8") as running:
        try:
            assert running.stdout
            yield running, running.stdout.readline().split()[2].removesuffix("/api/v3")
        finally:
            running.kill()


def children(parent: int) -> list[int]:
    """The processes that a process has started and that have not ended."""
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()]


def is_worker(pid: int) -> bool:
    return b"local.run" in Path(f"/proc/{pid}/cmdline").read_bytes()


def is_served(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v3/health", trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_all_end_with_a_signal(how: signal.Signals) -> None:
    with make_run() as (running, url):
        assert is_served(url)
        assert sum(map(is_worker, children(running.pid))) == WORKERS
        running.send_signal(how)
        _, errors = running.communicate()
        assert (running.returncode, errors) == (128 + how, "")
        assert not is_served(url)


def test_all_end_when_it_is_killed_and_the_port_is_free() -> None:
    with make_run() as (running, url):
        running.kill()
        running.communicate()  # to the end of what its workers write to, too
        assert not is_served(url)
    with make_run(url.rpartition(":")[2]) as (_, again):
        assert (again, is_served(again)) == (url, True)


def test_a_worker_that_ends_ends_all_with_an_error() -> None:
    with make_run() as (running, url):
        os.kill(next(filter(is_worker, children(running.pid))), signal.SIGKILL)
        _, errors = running.communicate()
        assert running.returncode == 1
        assert errors == "a process that serves ended with exit code -9: all are stopped\n"
        assert not is_served(url)


def test_of_two_that_start_at_once_one_gets_the_port() -> None:
    """Nobody listens yet when the second one comes, or the first one does and serves nobody yet."""
    port = str(free_port())
    command = [sys.executable, "-m", "local", "local.run", "--port", port, "--workers", str(WORKERS)]
    pipe = subprocess.PIPE
    both = [
        subprocess.Popen(command, cwd=ROOT, env=alone(), stdout=pipe, stderr=pipe, encoding="utf-8") for _ in range(2)
    ]
    try:
        while all(each.poll() is None for each in both):
            time.sleep(0.05)
        [refused] = [each for each in both if each.returncode is not None]
        assert refused.communicate()[1].startswith(f"cannot serve on port {port}: another program uses it")
    finally:
        for each in both:
            each.terminate()
            each.communicate()


@pytest.mark.parametrize("given", ["0", "-1", "two", "33"])
def test_a_number_that_cannot_be_is_refused(given: str) -> None:
    ended = run_module("local.run", "--workers", given)
    assert ended.returncode == 2
    assert f"'{given}' is no number of workers: give one from 1 to 32" in ended.stderr


@pytest.mark.parametrize(("processors", "best"), [(None, 1), (1, 1), (2, 2), (64, 2)])
def test_as_many_as_keep_the_engine_busy(monkeypatch: pytest.MonkeyPatch, processors: int | None, best: int) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    assert workers.usual() == best


@pytest.fixture(scope="module")
def several(table: str) -> Iterator[str]:
    with serving("--workers", str(WORKERS), AWS_ENDPOINT_URL_DYNAMODB=table) as url:
        yield url


def test_what_all_of_them_did_is_counted(several: str) -> None:
    before = httpx.get(f"{several}/_local/usage", trust_env=False).json()["requests"]
    for _ in range(20):
        assert is_served(several)  # on a connection of its own each
    shown = {httpx.get(f"{several}/_local/usage", trust_env=False).json()["requests"] for _ in range(10)}
    assert shown == {before + 20}


def test_one_of_many_claims_runs(several: str) -> None:
    """Rivals that are told of by different processes."""
    for _ in range(10):
        instance = pair("O", "O")
        with ThreadPoolExecutor(8) as threads:
            replies = list(threads.map(claim, [several] * 8, [instance] * 8, range(8)))
        assert Counter(replies) == {"R": 1, "K": 7}


def claim(url: str, instance: int, number: int) -> str:
    body = NAMES | {"process_group_id": number}
    reply = httpx.post(f"{url}/api/v3/task_instance/{instance}/log_running", json=body, trust_env=False)
    told: str = reply.json()["task_instance"][1]
    return told
