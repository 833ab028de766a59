"""The processor time of processes, as Linux counts it."""

import os
from pathlib import Path
from typing import Final, NamedTuple

_PROC: Final = Path("/proc")
_ENDED: Final = "Z"


class _Taken(NamedTuple):
    parent: int
    seconds: float
    """User and system time of a process and of those of its children that have ended."""


def counts() -> bool:
    """Return whether this machine tells."""
    return (_PROC / "self/stat").exists()


def seconds(pid: int) -> float:
    """Return the processor time of a process and its descendants since they began."""
    processes = _all()
    wanted = [pid]
    for each in wanted:
        wanted += [child for child, taken in processes.items() if taken.parent == each]
    return sum(processes[each].seconds for each in wanted)


def _all() -> dict[int, _Taken]:
    found = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
        fields = stat.rpartition(")")[2].split()  # from the third on: the second, its name, may hold anything
        if fields[0] != _ENDED:
            ticks = sum(map(int, fields[11:15]))
            found[int(folder.name)] = _Taken(int(fields[1]), ticks / os.sysconf("SC_CLK_TCK"))
    return found
