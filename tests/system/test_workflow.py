"""`make workflow`: Jobmon's client ends each task as it must, and however it ends, it leaves no process behind."""

import signal

import pytest

from local.workflow.plan import NAMES
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
