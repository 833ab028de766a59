"""`make demo` says truly how it went, and however it ends it leaves no process behind."""

import io
import os
import select
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from local.demo.fates import in_turn
from local.demo.verdict import close, must_be
from local.engine import ENDPOINT_VARIABLE
from local.template import ROOT
from lockstep.fsm.statuses import TaskStatus

MARK = "LOCKSTEP_DEMO_UNDER_TEST"
PROC = Path("/proc")
STARTING = "starting the API"
LAUNCHED = "batch 1: 200 tasks queued and launched"
MIDWAY = "  50 of 194 workers have ended"
CANNOT_LOOK = pytest.mark.skipif(not PROC.joinpath("self/environ").exists(), reason="needs /proc to see processes")


@pytest.fixture
def mark() -> str:
    """Every process that a demo starts inherits it."""
    return uuid.uuid4().hex


@contextmanager
def a_demo(mark: str) -> Iterator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if name != ENDPOINT_VARIABLE}
    with subprocess.Popen(
        [sys.executable, "-m", "local.demo"],
        cwd=ROOT,
        env=environment | {MARK: mark, "PYTHONPATH": os.pathsep.join((".", "shared")), "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as demo:
        try:
            yield demo
        finally:
            demo.kill()


def read_until(demo: subprocess.Popen[str], beginning: str) -> None:
    assert demo.stdout
    for line in demo.stdout:
        if line.startswith(beginning):
            return
    pytest.fail(f"the demo never said {beginning!r}")


def marked(mark: str) -> set[int]:
    """The processes that live and carry the mark."""
    sought = f"{MARK}={mark}".encode()
    return {int(folder.name) for folder in PROC.iterdir() if folder.name.isdigit() and sought in environment(folder)}


def environment(folder: Path) -> list[bytes]:
    try:
        return folder.joinpath("environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is somebody else's
        return []


@CANNOT_LOOK
def test_every_task_ends_as_it_must(mark: str) -> None:
    with a_demo(mark) as demo:
        output, errors = demo.communicate()
    assert (demo.returncode, errors) == (0, ""), output
    assert output.endswith("All 200 tasks ended as they must.\n")
    assert row(output, "all") == ["200", "194 / 194", "6 / 6", "264 / 264", "70 / 70"]
    assert row(output, "HTTP requests") == ["1,326", "5.02"]
    assert not marked(mark)


def row(output: str, name: str) -> list[str]:
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in output.splitlines()]
    [found] = [others for first, *others in cells if first == name]
    return found


@CANNOT_LOOK
@pytest.mark.parametrize(
    ("number", "exit_code", "when"),
    [
        pytest.param(signal.SIGINT, 130, STARTING, id="Ctrl-C at the start"),
        pytest.param(signal.SIGINT, 130, MIDWAY, id="Ctrl-C midway"),
        pytest.param(signal.SIGTERM, 143, LAUNCHED, id="SIGTERM"),
        pytest.param(signal.SIGHUP, 129, LAUNCHED, id="closed terminal"),
    ],
)
def test_ends_at_once_and_whole(number: signal.Signals, exit_code: int, when: str, mark: str) -> None:
    with a_demo(mark) as demo:
        read_until(demo, when)
        demo.send_signal(number)
        output, errors = demo.communicate()
    assert (demo.returncode, errors) == (exit_code, "")
    assert output.endswith("stopped\n")
    assert not marked(mark)


@CANNOT_LOOK
def test_ends_whole_when_nobody_reads_on(mark: str) -> None:
    with a_demo(mark) as demo:
        read_until(demo, LAUNCHED)
        assert demo.stdout
        assert demo.stderr
        demo.stdout.close()
        assert demo.stderr.read() == ""
    assert demo.returncode == 1
    assert not marked(mark)


@CANNOT_LOOK
def test_a_system_that_fails_is_reported(mark: str) -> None:
    with a_demo(mark) as demo:
        read_until(demo, LAUNCHED)
        for child in marked(mark) - {demo.pid}:
            os.kill(child, signal.SIGKILL)
        output, errors = demo.communicate()
    assert (demo.returncode, errors) == (1, "")
    assert "\nWhat must not be:\n" in output
    assert not marked(mark)


@CANNOT_LOOK
def test_what_it_started_ends_even_when_it_is_killed(mark: str) -> None:
    with a_demo(mark) as demo:
        read_until(demo, LAUNCHED)
        children = marked(mark) - {demo.pid}
        assert len(children) == 2, "an engine and an API"
        handles = [os.pidfd_open(child) for child in children]
        demo.kill()
        for handle in handles:
            ended, _, _ = select.select([handle], [], [])
            assert ended
            os.close(handle)
    assert not marked(mark)


def test_a_task_that_ends_otherwise_is_named() -> None:
    fate_of = dict(enumerate(in_turn(), 1))
    endings = [must_be(fate) for fate in fate_of.values()]
    endings[0] = endings[0]._replace(task=TaskStatus.ERROR_FATAL, error_entries=(1,))
    output = io.StringIO()
    usage = dict.fromkeys(("requests", "dynamodb_requests", "write_units", "read_units"), 1.0)
    assert not close(Console(file=output, width=100), fate_of, endings, usage)
    assert "task 1 (done at once)\n  must be D after 1 attempts: D, with error entries 0\n" in output.getvalue()
    assert "  is      F after 1 attempts: D, with error entries 1\n" in output.getvalue()
    assert output.getvalue().endswith("1 of 200 tasks ended otherwise than they must.\n")
