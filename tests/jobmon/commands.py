"""The commands of tasks, and the files in which they note what they did."""

import shlex
import sys
from pathlib import Path
from typing import Final

WORK: Final = Path(__file__).with_name("work.py")


def work(directory: Path, name: str, **options: object) -> str:
    """A task's command: see work.py. exec, because a worker node signals the shell alone."""
    flags = [part for option, value in options.items() for part in (f"--{option.replace('_', '-')}", str(value))]
    return "exec " + shlex.join([sys.executable, "-IS", str(WORK), str(directory), name, *flags])


def journal(directory: Path) -> list[str]:
    """What these commands began and ended, in order: `begin NAME` and `end NAME`."""
    file = directory / "journal"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def overlaps(directory: Path) -> list[str]:
    """Tasks of which two runs were under way at once."""
    file = directory / "overlaps"
    return file.read_text(encoding="utf-8").split() if file.exists() else []
