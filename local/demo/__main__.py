"""The demo's process: it ends with 0 only if every task ended as it must, and nothing that it starts outlives it."""

import errno
import os
import signal
import sys
from contextlib import suppress
from types import FrameType
from typing import Final

ENDS_IT: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
_NOBODY_READS: Final = {errno.EPIPE, errno.EIO}
"""Of a closed pipe and of a closed terminal."""


class StoppedError(BaseException):
    """Somebody wants the demo to end now."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def main() -> int:
    """The exit code: 0, 1 where something went other than it must, or 128 and the number of the signal."""
    for number in ENDS_IT:
        signal.signal(number, _stop)
    try:
        from local.demo.show import show  # noqa: PLC0415  # it takes a moment, in which Ctrl-C is to work already

        return 0 if show() else 1
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
    """Once: what is done on the way out is not to be interrupted."""
    for each in ENDS_IT:
        signal.signal(each, signal.SIG_IGN)
    raise StoppedError(number)


if __name__ == "__main__":
    sys.exit(main())
