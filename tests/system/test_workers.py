"""`make run WORKERS=2`: several processes serve one port, and everything is as with one."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from local import workers
from local.engine import free_port
from tests.support.marked import CANNOT_LOOK, Served
from tests.support.seeding import pair
from tests.support.serving import port_of, run_module, serving

WORKERS = 2
NAMES = {"nodename": "n1", "process_group_id": 1, "distributor_id": "77", "next_report_increment": 279}


def with_workers(*options: str) -> Served:
    """`make run` with two workers."""
    return Served("--workers", str(WORKERS), *options)


def workers_of(served: Served, program: "subprocess.Popen[str]") -> list[int]:
    started = served.processes() - {program.pid}
    return [each for each in started if b"local.run" in Path(f"/proc/{each}/cmdline").read_bytes()]


def is_served(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


@CANNOT_LOOK
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_all_end_with_a_signal(how: signal.Signals) -> None:
    served = with_workers()
    with served.up() as (running, url):
        assert is_served(url)
        assert len(workers_of(served, running)) == WORKERS
        running.send_signal(how)
        _, errors = running.communicate()
        assert (running.returncode, errors) == (128 + how, "")
        assert not is_served(url)


@CANNOT_LOOK
def test_all_end_when_it_is_killed_and_the_port_is_free() -> None:
    served = with_workers()
    with served.up() as (running, url):
        served.kill(running)
        assert not is_served(url)
    with with_workers("--port", port_of(url)).up() as (_, again):
        assert (again, is_served(again)) == (url, True)


@CANNOT_LOOK
def test_a_worker_that_ends_ends_all_with_an_error() -> None:
    served = with_workers()
    with served.up() as (running, url):
        os.kill(workers_of(served, running)[0], signal.SIGKILL)
        _, errors = running.communicate()
        assert running.returncode == 1
        assert errors == "a process that serves ended with exit code -9: all are stopped\n"
        assert not is_served(url)


def test_of_two_that_start_at_once_one_gets_the_port() -> None:
    """Nobody listens yet when the second one comes, or the first one does and serves nobody yet."""
    port = str(free_port())
    with with_workers("--port", port).started() as one, with_workers("--port", port).started() as other:
        while one.poll() is None and other.poll() is None:
            time.sleep(0.05)
        [refused] = [each for each in (one, other) if each.returncode is not None]
        assert refused.communicate()[1].startswith(f"cannot serve on port {port}: another program uses it")


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
        yield f"{url}/api/v3"


def counted(url: str) -> int:
    usage: dict[str, int] = httpx.get(httpx.URL(url).join("/_local/usage"), trust_env=False).json()
    return usage["requests"]


def test_what_all_of_them_did_is_counted(several: str) -> None:
    before = counted(several)
    for _ in range(20):
        assert is_served(several)  # on a connection of its own each
    shown = {counted(several) for _ in range(10)}
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
    reply = httpx.post(f"{url}/task_instance/{instance}/log_running", json=body, trust_env=False)
    told: str = reply.json()["task_instance"][1]
    return told
