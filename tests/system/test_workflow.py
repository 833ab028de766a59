"""`make workflow`: Jobmon's client ends each task as it must, and however it ends, it leaves no process behind."""

import signal
from io import StringIO
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from local.showing import ProgramFailedError
from local.workflow import client
from local.workflow.plan import NAMES
from local.workflow.view import View
from sim.client import Client
from tests.jobmon.workflow import Workflow
from tests.support.marked import CANNOT_LOOK, Marked, read_until, row

MIDWAY = "jobmon   Executing Workflow Run"


@pytest.fixture
def workflow() -> Marked:
    return Marked("local.workflow")


@CANNOT_LOOK
def test_every_task_ends_as_it_must(workflow: Marked) -> None:
    with workflow.started() as program:
        output, errors = program.communicate()
    assert (program.returncode, errors) == (0, ""), output
    assert output.count("All 200 tasks ended as they must.\n") == 2
    assert row(output, "all") == ["200", "200 / 200", "0 / 0", "222 / 222", "22 / 22"]
    assert sum(map(len, NAMES.values())) == 200
    assert "jobmon   workflow 1001 ended E\n" in output
    assert "jobmon   workflow 1001 ended D\n" in output
    assert not workflow.processes()


@CANNOT_LOOK
def test_ends_whole_when_it_is_stopped(workflow: Marked) -> None:
    with workflow.started() as program:
        read_until(program, MIDWAY)
        program.send_signal(signal.SIGINT)
        output, errors = program.communicate()
    assert (program.returncode, errors) == (130, "")
    assert output.endswith("stopped\n")
    assert not workflow.processes()


@CANNOT_LOOK
def test_jobmons_programs_end_even_when_it_is_killed(workflow: Marked) -> None:
    with workflow.started() as program:
        read_until(program, MIDWAY)
        assert workflow.kill(program) >= 5, "an engine, an API, Jobmon's client, its leash and the distributor"
    assert not workflow.processes()


def test_a_program_that_hangs_is_killed_and_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hangs = tmp_path / "hangs.py"
    hangs.write_text("import time\nprint('waiting', flush=True)\nwhile True: time.sleep(1)\n", encoding="utf-8")
    monkeypatch.setattr(client, "PROGRAM", hangs)
    monkeypatch.setattr(client, "MOST_SECONDS", 5)
    lines = client.run("http://127.0.0.1")
    assert next(lines) == "waiting"
    with pytest.raises(ProgramFailedError) as failed:
        list(lines)
    assert str(failed.value) == ("hangs.py hung: it had not ended after 5 s, and was killed; its last lines:\nwaiting")


def test_it_says_how_far_the_tasks_are_that_hang(api: httpx.Client, tmp_path: Path) -> None:
    workflow = Workflow(api, tmp_path)
    workflow.bind("true", "true")
    workflow.queue()
    printed = StringIO()
    with Client(str(api.base_url)) as asking:
        view = View(Console(file=printed, width=100), asking)
        view.say_where_it_stands()
        view.say(f"workflow {workflow.workflow_id} has 2 tasks")
        view.say_where_it_stands()
    lines = printed.getvalue().splitlines()
    assert lines[0] == "lockstep no workflow is bound"
    assert lines[-1] == "lockstep QUEUED 2"
