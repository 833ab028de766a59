"""Jobmon's client: run one of its programs, and read what it says."""

import os
import subprocess
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Timer
from typing import Final

from local.showing import ProgramFailedError
from local.template import ROOT
from sim.system import PREFIX

PROGRAMS: Final = ROOT / ".jobmon/current/bin"
"""Where `make` installs Jobmon's programs."""
PROGRAM: Final = Path(__file__).with_name("program.py")
LAST_LINES: Final = 20
"""The lines that are kept, to tell why a program failed."""
_SETTINGS: Final = {
    "JOBMON__HTTP__ROUTE_PREFIX": PREFIX,
    "JOBMON__HEARTBEAT__WORKFLOW_RUN_INTERVAL": "1",  # in seconds, where 30 are usual: the programs poll as often
    "PYTHONUTF8": "1",
}
MOST_SECONDS: Final = 300
"""The time of a program: Jobmon's client can wait for ever for its distributor (docs/jobmon.md)."""
_LEASH: Final = 'exec 3<&0; { read -r _; kill -KILL 0; } <&3 3<&- >/dev/null 2>&1 & exec "$@" </dev/null 3<&-'
"""Run a program in this shell's place; once the shell's standard input closes, kill it and all that it started."""


def run(url: str, *arguments: object) -> Iterator[str]:
    """Run the program against an API, and yield each line that it prints.

    Raises:
        ProgramFailedError: it ended with another exit code than 0, or was killed because it took too long. The message
            ends with its last lines.
    """
    lines: deque[str] = deque(maxlen=LAST_LINES)
    took_too_long = Event()
    with _started(url, took_too_long, *arguments) as process:
        assert process.stdout
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            yield lines[-1]
        code = process.wait()
    if code:
        how = f"ended with exit code {code}" if code > 0 else f"was killed by signal {-code}"
        if took_too_long.is_set():
            how = f"hung: it had not ended after {MOST_SECONDS} s, and was killed"
        raise ProgramFailedError("\n".join([f"{PROGRAM.name} {how}; its last lines:", *lines]))


@contextmanager
def _started(url: str, took_too_long: Event, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        ["/bin/sh", "-c", _LEASH, "sh", PROGRAMS / "python", PROGRAM, *map(str, arguments)],
        env=_environment(url),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,  # the leash kills its group, and Ctrl-C is ours to handle
    )
    assert process.stdin
    assert process.stdout
    leash, output = process.stdin, process.stdout

    def kill() -> None:
        took_too_long.set()
        leash.close()

    limit = Timer(MOST_SECONDS, kill)
    limit.start()
    try:
        yield process
    finally:
        limit.cancel()
        leash.close()
        process.wait()
        output.close()


def _environment(url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JOBMON__", "PYTHON"))}
    path = os.pathsep.join((str(PROGRAMS), kept.get("PATH", os.defpath)))
    return {**kept, **_SETTINGS, "PATH": path, "JOBMON__HTTP__SERVICE_URL": url}
