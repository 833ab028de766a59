"""How a program that a person started ends: its exit code, and that nothing which it started outlives it."""

import errno
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Final

ENDS_IT: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_NOBODY_READS: Final = {errno.EPIPE, errno.EIO}
"""A closed pipe, a closed terminal."""


class StoppedError(BaseException):
    """Somebody wants the program to end now."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def exit_code(program: Callable[[], bool]) -> int:
    """Run a program. Returns 0 if all was well, 1 if not, or 128 and the number of the signal that stopped it."""
    for number in ENDS_IT:
        signal.signal(number, _stop)
    try:
        return 0 if program() else 1
    except StoppedError as stopped:
        with suppress(OSError):
            print("stopped", flush=True)
        return stopped.exit_code
    except OSError as error:
        if error.errno not in _NOBODY_READS:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def _stop(number: int, _: FrameType | None) -> None:
    """Raise once: the way out is not to be interrupted."""
    for each in ENDS_IT:
        signal.signal(each, signal.SIG_IGN)
    raise StoppedError(number)
