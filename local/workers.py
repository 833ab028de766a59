"""Several processes that serve one port, each with all functions in it: one Python process uses one processor.

The kernel spreads connections over them. They end when the process that began them, their supervisor, stops them or is
killed.
"""

import os
import signal
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Final, NamedTuple

MOST: Final = 32
ENOUGH: Final = 2
"""A worker takes twice the engine's processor time for a request, and the engine is one process (decision 45)."""
_FORK: Final = get_context("fork")
"""What the supervisor has imported is shared."""


def usual() -> int:
    """Return how many are best here: no more than keep the engine busy, and one where there is one processor."""
    return min(ENOUGH, os.cpu_count() or 1)


class EndedError(Exception):
    """A worker ended that was not told to; the message says so in one line."""


class Supervisor(NamedTuple):
    """A worker's way to its supervisor."""

    orders: int
    """A file: a byte in it says that the worker is to stop, its end that there is no supervisor any more."""
    told: Connection

    def serves(self) -> None:
        """Say that the worker serves."""
        self.told.send(None)

    def is_there(self) -> bool:
        """Read what the supervisor says. False: it was killed."""
        return os.read(self.orders, 1) != b""


Work = Callable[[int, Supervisor], None]
"""Serve as the n-th worker until the supervisor says stop."""


def supervise(workers: int, work: Work, ready: Callable[[], None]) -> None:
    """Let workers work until a signal raises KeyboardInterrupt here. ready is called once all of them serve.

    Raises:
        EndedError: a worker ended.
    """
    orders, stop = os.pipe()
    processes: list[ForkProcess] = []
    starting: list[Connection] = []
    try:
        for number in range(workers):
            mine, theirs = _FORK.Pipe(duplex=False)
            processes.append(_FORK.Process(target=_work, args=(number, work, Supervisor(orders, theirs), stop)))
            processes[-1].start()
            theirs.close()
            starting.append(mine)
        for each in starting:
            each.recv()
        ready()
        wait([process.sentinel for process in processes])
    except EOFError:
        pass  # it ended before it served
    finally:
        os.write(stop, b"." * workers)
        os.close(stop)
        for process in processes:
            process.join()
        os.close(orders)
    codes = sorted({process.exitcode for process in processes if process.exitcode})
    raise EndedError(f"a process that serves ended with exit code {codes[0] if codes else 0}: all are stopped")


def _work(number: int, work: Work, supervisor: Supervisor, stop: int) -> None:
    """The supervisor alone hears signals: a terminal sends them to all."""
    os.close(stop)  # else it would never be at its end
    for each in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    work(number, supervisor)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # threads that wait for a reply are not waited for
