"""What processes take of the processor, as Linux counts it."""

import os
from pathlib import Path
from typing import Final, NamedTuple

_PROC: Final = Path("/proc")
_ENDED: Final = "Z"


class Taken(NamedTuple):
    """Of one process."""

    parent: int
    seconds: float
    """User and system time of it and of those of its children that have ended."""


def counts() -> bool:
    """Whether this machine tells."""
    return (_PROC / "self/stat").exists()


def runs(pid: int) -> bool:
    """Whether a process has not ended, though nobody may have asked yet how."""
    return pid in _all()


def children(pid: int) -> list[int]:
    """Those that run."""
    return [child for child, taken in _all().items() if taken.parent == pid]


def seconds(pid: int, without: int | None = None) -> float:
    """What a process and all that descend from it have taken since they began, but for those from `without` on."""
    processes = _all()
    wanted = [pid]
    for each in wanted:
        wanted += [child for child, taken in processes.items() if taken.parent == each and child != without]
    return sum(processes[each].seconds for each in wanted)


def _all() -> dict[int, Taken]:
    found = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
        fields = stat.rpartition(")")[2].split()  # from the third on: the second, its name, may hold anything
        if fields[0] == _ENDED:
            continue
        ticks = sum(map(int, fields[11:15]))
        found[int(folder.name)] = Taken(int(fields[1]), ticks / os.sysconf("SC_CLK_TCK"))
    return found
