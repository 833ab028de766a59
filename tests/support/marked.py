"""Our own programs, started with a mark that everything they start inherits: what is left of them is found by it."""

import os
import select
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from local.engine import ENDPOINT_VARIABLE
from local.template import ROOT

PROC = Path("/proc")
CANNOT_LOOK = pytest.mark.skipif(not PROC.joinpath("self/environ").exists(), reason="needs /proc to see processes")
_MARK = "LOCKSTEP_UNDER_TEST"


class Marked:
    """A program whose processes are all known by a mark, in a process group of its own, as a terminal gives it."""

    def __init__(self, module: str, *options: str) -> None:
        self._command, self._mark = [module, *options], f"{_MARK}={uuid.uuid4().hex}"

    @contextmanager
    def started(self, **settings: str) -> Iterator["subprocess.Popen[str]"]:
        """Run it with these environment variables, too, and kill it in the end."""
        name, _, mark = self._mark.partition("=")
        environment = {key: value for key, value in os.environ.items() if key != ENDPOINT_VARIABLE}
        with subprocess.Popen(
            [sys.executable, "-m", *self._command],
            cwd=ROOT,
            env=environment
            | {name: mark, "PYTHONPATH": os.pathsep.join((".", "shared")), "PYTHONUTF8": "1"}
            | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            process_group=0,
        ) as program:
            try:
                yield program
            finally:
                program.kill()

    def processes(self) -> set[int]:
        """Those of its processes that live."""
        sought = self._mark.encode()
        return {int(each.name) for each in PROC.iterdir() if each.name.isdigit() and sought in _environment(each)}

    def kill(self, program: "subprocess.Popen[str]") -> int:
        """Kill the program alone, wait until everything that it started has ended, and return how many that were."""
        handles = [*_handles(self.processes() - {program.pid})]
        program.kill()
        for handle in handles:
            select.select([handle], [], [])
            os.close(handle)
        return len(handles)


class Served(Marked):
    """`make run` on any free port, or on one that is named."""

    def __init__(self, *options: str) -> None:
        super().__init__("local.run", "--port", "0", *options)

    @contextmanager
    def up(self) -> Iterator[tuple["subprocess.Popen[str]", str]]:
        """The program and its URL. It is killed in the end."""
        with self.started() as program:
            yield program, read_until(program, "Lockstep serves ").split()[2]


def read_until(program: "subprocess.Popen[str]", beginning: str) -> str:
    """Read what a program prints, up to a line that begins so, and return that line."""
    assert program.stdout
    for line in program.stdout:
        if line.startswith(beginning):
            return line
    pytest.fail(f"it never said {beginning!r}")


def row(output: str, name: str) -> list[str]:
    """The cells beside a name in a printed table; of its last row of that name."""
    return [others for first, *others in _rows(output) if first == name][-1]


def cells(output: str) -> dict[str, str]:
    """The rows of two cells in printed tables."""
    return dict(row for row in _rows(output) if len(row) == 2)


def _rows(output: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in output.splitlines()]


def _handles(processes: set[int]) -> Iterator[int]:
    for number in processes:
        with suppress(ProcessLookupError):  # it has just ended
            yield os.pidfd_open(number)


def _environment(folder: Path) -> list[bytes]:
    try:
        return folder.joinpath("environ").read_bytes().split(b"\0")
    except OSError:  # it has ended, or is somebody else's
        return []
