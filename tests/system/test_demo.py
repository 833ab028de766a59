"""`make demo` says truly how it went, and however it ends it leaves no process behind."""

import io
import os
import signal
from contextlib import nullcontext
from types import SimpleNamespace

import httpx
import pytest
from rich.console import Console

from local import showing
from local.demo.fates import in_turn, must_be
from local.demo.show import results_of
from local.verdict import judge
from local.workers import usual
from lockstep.fsm.statuses import TaskStatus
from tests.support.marked import CANNOT_LOOK, Marked, read_until, row

STARTING = "starting the API"
LAUNCHED = "batch 1: 200 tasks queued and launched"
MIDWAY = "  50 of 194 workers have ended"


@pytest.fixture
def demo() -> Marked:
    return Marked("local.demo")


@CANNOT_LOOK
def test_every_task_ends_as_it_must(demo: Marked) -> None:
    with demo.started() as program:
        output, errors = program.communicate()
    assert (program.returncode, errors) == (0, ""), output
    assert output.endswith("All 200 tasks ended as they must.\n")
    assert row(output, "all") == ["200", "194 / 194", "6 / 6", "264 / 264", "70 / 70"]
    assert row(output, "HTTP requests") == ["1,336", "5.06"]
    assert not demo.processes()


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
def test_ends_at_once_and_whole(number: signal.Signals, exit_code: int, when: str, demo: Marked) -> None:
    with demo.started() as program:
        read_until(program, when)
        program.send_signal(number)
        output, errors = program.communicate()
    assert (program.returncode, errors) == (exit_code, "")
    assert output.endswith("stopped\n")
    assert not demo.processes()


@CANNOT_LOOK
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_what_it_keeps_can_be_looked_at_until_a_signal_comes(number: signal.Signals) -> None:
    demo = Marked("local.demo", "--keep", "1")
    with demo.started() as program:
        api = read_until(program, "The API serves on at ").split()[5]
        assert httpx.get(f"{api}/array/1001/get_array_max_concurrently_running", trust_env=False).status_code == 200
        [shown] = httpx.get(f"{api}/workflows", trust_env=False).json()["workflows"]
        assert (shown["name"], shown["status"]) == ("demo", "F")
        whole = httpx.get(f"{api}/workflows/{shown['workflow_id']}", trust_env=False).json()
        assert {status: number for status, number in whole["tasks_by_status"].items() if number} == {"D": 194, "F": 6}
        page = read_until(program, "Workflows, in a browser: ").split()[-1]
        assert httpx.get(page, trust_env=False).text.startswith("<!doctype html>")
        program.send_signal(number)
        _, errors = program.communicate()
    assert (program.returncode, errors) == (0, "")
    assert not demo.processes()


@pytest.mark.parametrize("well", [True, False])
def test_what_is_kept_changes_no_verdict(monkeypatch: pytest.MonkeyPatch, *, well: bool) -> None:
    served: list[str] = []
    running = SimpleNamespace(url="", api="", endpoint="")
    monkeypatch.setattr(showing, "system", lambda *_, **__: nullcontext(running))
    monkeypatch.setattr(showing, "_serve_on", lambda *_: served.append("on"))
    assert showing.show_on_a_system(1, lambda *_: well, keep=True) is well
    assert served == ["on"]


@CANNOT_LOOK
def test_ends_whole_when_nobody_reads_on(demo: Marked) -> None:
    with demo.started() as program:
        read_until(program, LAUNCHED)
        assert program.stdout
        assert program.stderr
        program.stdout.close()
        assert program.stderr.read() == ""
    assert program.returncode == 1
    assert not demo.processes()


@CANNOT_LOOK
def test_a_system_that_fails_is_reported(demo: Marked) -> None:
    with demo.started() as program:
        read_until(program, LAUNCHED)
        for child in demo.processes() - {program.pid}:
            os.kill(child, signal.SIGKILL)
        output, errors = program.communicate()
    assert (program.returncode, errors) == (1, "")
    assert "\nWhat must not be:\n" in output
    assert not demo.processes()


@CANNOT_LOOK
def test_what_it_started_ends_even_when_it_is_killed(demo: Marked) -> None:
    with demo.started() as program:
        read_until(program, LAUNCHED)
        workers = usual()
        assert demo.kill(program) == 2 + (workers if workers > 1 else 0), "an engine, an API and its workers"
    assert not demo.processes()


def test_a_task_that_ends_otherwise_is_named() -> None:
    fate_of = dict(enumerate(in_turn(), 1))
    endings = [must_be(fate) for fate in fate_of.values()]
    endings[0] = endings[0]._replace(task=TaskStatus.ERROR_FATAL, error_entries=(1,))
    output = io.StringIO()
    assert not judge(Console(file=output, width=100), results_of(fate_of, endings), "fate")
    assert "task 1 (done at once)\n  must be D after 1 attempts: D, with error entries 0\n" in output.getvalue()
    assert "  is      F after 1 attempts: D, with error entries 1\n" in output.getvalue()
    assert output.getvalue().endswith("1 of 200 tasks ended otherwise than they must.\n")
