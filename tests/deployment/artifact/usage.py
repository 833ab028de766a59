"""What a process has used, by Linux's account.

Not by os.wait4: its ru_maxrss also counts the process that started this one, as large as that was.
"""

import os
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_KIB_PER_MIB: Final = 1024


def peak_mib(pid: int) -> float:
    """The most memory that a process has held, in MiB."""
    lines = (PROC / str(pid) / "status").read_text(encoding="utf-8").splitlines()
    [peak] = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) / _KIB_PER_MIB


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads of a process, in hundredths of a second."""
    user, system = (PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / _TICKS_PER_SECOND
