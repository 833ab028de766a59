"""Ctrl-C ends each program that make starts, at any moment: it says so, and leaves no traceback and no process."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, NamedTuple

import pytest

from local.start import held_back
from local.template import ROOT
from lockstep.access.scopes import Scope
from tests.support.guarded import Guarded
from tests.support.marked import CANNOT_LOOK, Marked

INTERRUPTED: Final = 128 + signal.SIGINT
NOT_INTERRUPTED: Final = {
    "run": "test_start.py interrupts it",
    "invoke": "test_invoke.py: it ends with its one reply",
    "workflow": "test_workflow.py interrupts it",
    "events": "test_events.py interrupts it",
    "event": "test_start.py interrupts it",
    **dict.fromkeys(("seed", "clusters", "token", "audit", "docs", "pictures"), "it ends by itself, soon"),
}
_PROGRAM: Final = re.compile(r"^(\w+):.*\n\t@\$\(RUN\) ([\w.]+)", re.MULTILINE)
PROGRAMS: Final = dict(_PROGRAM.findall((ROOT / "Makefile").read_text(encoding="utf-8")))


class Program(NamedTuple):
    """A program as the Makefile starts it."""

    marked: Marked
    process: "subprocess.Popen[str]"

    def runs(self) -> bool:
        return self.process.poll() is None

    def interrupt(self) -> tuple[int, str, str]:
        """The exit code, the output and the errors."""
        assert self.runs()
        os.killpg(self.process.pid, signal.SIGINT)
        output, errors = self.process.communicate()
        return self.process.returncode, output, errors


@contextmanager
def program(module: str, *options: str, **settings: str) -> Iterator[Program]:
    marked = Marked("local", module, *options)
    with ExitStack() as stack:
        with held_back():
            process = stack.enter_context(marked.started(**settings))
        yield Program(marked, process)


def at_once(_: Program) -> bool:
    """Python is about to start: nothing that the program needs has to be there."""
    return True


def once_it_has_started_others(started: Program) -> bool:
    """Its engine, its server or its workers."""
    return len(started.marked.processes()) > 1


def once_it_has_said_something(started: Program) -> bool:
    assert started.process.stdout
    return bool(started.process.stdout.readline())


MOMENTS: Final[dict[Callable[[Program], bool], tuple[str, ...]]] = {
    at_once: ("fuzz", "faults", "explore", "model", "soak", "demo", "verify", "measure", "scale", "bench"),
    once_it_has_started_others: ("fuzz", "faults", "explore", "soak", "demo", "measure"),
    once_it_has_said_something: ("model", "soak", "demo"),
}


def ends(started: Program, moment: Callable[[Program], bool]) -> None:
    """Interrupt a program at a moment."""
    while not moment(started):
        assert started.runs()
    code, output, errors = started.interrupt()
    assert (code, errors) == (INTERRUPTED, "")
    assert output.endswith("stopped\n")
    assert started.marked.processes() == set()


@CANNOT_LOOK
@pytest.mark.parametrize(
    ("target", "moment"),
    [
        pytest.param(target, moment, id=f"{target} {moment.__name__.replace('_', ' ')}")
        for moment, targets in MOMENTS.items()
        for target in targets
    ],
)
def test_ctrl_c_ends_it_and_all_that_it_started(target: str, moment: Callable[[Program], bool]) -> None:
    with program(PROGRAMS[target]) as started:
        ends(started, moment)


@CANNOT_LOOK
def test_ctrl_c_ends_a_walk_over_a_deployment(guarded: Guarded) -> None:
    """test_verify.py shows that the run of the walk is ended, too."""
    token = guarded.token(Scope.OPERATOR)
    with program(PROGRAMS["verify"], "--url", guarded.url, TOKEN=token) as started:
        ends(started, once_it_has_said_something)


CATCHES_ALL: Final = """\
import os, signal
from local.start import end_with
def main():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()
    except BaseException:
        return 0
end_with(main)
"""


def test_a_program_that_was_interrupted_never_ends_well() -> None:
    """Though something in it has caught the interruption."""
    command = [sys.executable, "-c", CATCHES_ALL]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (INTERRUPTED, "stopped\n", "")


def test_each_program_is_interrupted_or_a_reason_is_given() -> None:
    interrupted = {target for targets in MOMENTS.values() for target in targets}
    assert interrupted | NOT_INTERRUPTED.keys() == PROGRAMS.keys()
    assert not interrupted & NOT_INTERRUPTED.keys()
