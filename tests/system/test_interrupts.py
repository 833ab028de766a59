"""Ctrl-C ends each program that make starts, at any moment: it says so, and leaves no traceback and no process."""

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from local.start import held_back
from local.template import ROOT
from tests.system.test_start import environment

INTERRUPTED: Final = 128 + signal.SIGINT
LONG: Final = ("fuzz", "faults", "explore", "model", "soak", "demo", "scale")
"""Programs that run until they are done, and need nobody's server and no other environment."""
NEED_MORE: Final = {
    "run": "test_start.py interrupts it",
    "invoke": "test_invoke.py: it ends with its one reply",
    "workflow": "test_workflow.py interrupts it",
    "verify": "test_verify.py interrupts it",
    "events": "test_events.py interrupts it",
    "event": "test_start.py interrupts it",
    "bench": "its environments are not those of the tests",
    "measure": "its environments are not those of the tests",
    **dict.fromkeys(("seed", "clusters", "token", "audit", "docs", "pictures"), "it ends by itself, soon"),
}
_PROGRAM: Final = re.compile(r"^(\w+):.*\n\t@\$\(RUN\) ([\w.]+)", re.MULTILINE)
PROGRAMS: Final = dict(_PROGRAM.findall((ROOT / "Makefile").read_text(encoding="utf-8")))


class Program:
    """A program as the Makefile starts it, in a process group of its own, as a terminal has one."""

    def __init__(self, module: str) -> None:
        self._mark = f"INTERRUPTED_BY={uuid.uuid4()}"
        name, _, value = self._mark.partition("=")
        with held_back():
            self._process = subprocess.Popen(
                [sys.executable, "-m", "local", module],
                cwd=ROOT,
                env=environment(PYTHONPATH=".:shared", PYTHONUTF8="1") | {name: value},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                process_group=0,
            )

    def processes(self) -> set[int]:
        """The process and all that it has started, by their environment."""
        return {int(folder.name) for folder in Path("/proc").glob("[0-9]*") if self._mark in _environment_of(folder)}

    def runs(self) -> bool:
        return self._process.poll() is None

    def said_something(self) -> bool:
        assert self._process.stdout
        return bool(self._process.stdout.readline())

    def interrupt(self) -> tuple[int, str, str]:
        """The exit code, the output and the errors."""
        assert self.runs()
        os.killpg(self._process.pid, signal.SIGINT)
        output, errors = self._process.communicate()
        return self._process.returncode, output, errors

    def kill(self) -> None:
        for number in self.processes():
            os.kill(number, signal.SIGKILL)
        self._process.communicate()


def _environment_of(folder: Path) -> str:
    """The environment of a process; nothing of one that is gone."""
    try:
        return (folder / "environ").read_bytes().decode(errors="replace")
    except OSError:
        return ""


@contextmanager
def program(module: str) -> Iterator[Program]:
    started = Program(module)
    try:
        yield started
    finally:
        started.kill()


def at_once(_: Program) -> bool:
    """Python is about to start."""
    return True


def once_it_has_started_others(started: Program) -> bool:
    """Its engine, its server or its workers."""
    return len(started.processes()) > 1


def once_it_has_said_something(started: Program) -> bool:
    return started.said_something()


MOMENTS: Final[dict[Callable[[Program], bool], tuple[str, ...]]] = {
    at_once: LONG,
    once_it_has_started_others: ("fuzz", "faults", "explore", "soak", "demo"),
    once_it_has_said_something: ("model", "soak", "demo"),
}


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
        while not moment(started):
            assert started.runs()
        code, output, errors = started.interrupt()
        assert (code, errors) == (INTERRUPTED, "")
        assert output.endswith("stopped\n")
        assert started.processes() == set()


def test_each_program_is_interrupted_or_a_reason_is_given() -> None:
    assert {*LONG} | NEED_MORE.keys() == PROGRAMS.keys()
