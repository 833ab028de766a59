"""Start a program of this project: `python -m local MODULE …` imports the module and calls its `main`.

The Makefile starts every program so. Here, and nowhere else, it is decided how a signal (Ctrl-C, SIGTERM, a closed
terminal) ends a program: with the line `stopped` and exit code 128 + the signal's number.

* While the program is imported, a signal ends the process at once: nothing is started yet.
* While `main` runs, a signal raises KeyboardInterrupt in it, so that it ends what it started. Python ignores an
  exception that is raised inside a callback such as `__del__`; it is then raised again. Should a library catch it and
  go on, the program ends as interrupted once `main` returns: a signal never gives exit code 0.
* Once `main` has returned, a signal ends the process at once: nothing is left to end.

A second signal ends the process at once. What the process started ends with it: its standard input closes.
The Makefile blocks the signals until this module can take them: one that comes while Python starts is not lost.
"""

import errno
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import FrameType
from typing import Final, NoReturn, Protocol

ENDS_IT: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
SAME_WISH_SECONDS: Final = 0.5
"""`timeout` and make send a signal twice: the second one within this time is the same wish."""
UMASK: Final = 0o022
RAISE_AGAIN_SECONDS: Final = 0.01
NOBODY_READS: Final = {errno.EPIPE, errno.EIO}
"""A closed pipe, a closed terminal."""


class _Unraisable(Protocol):
    @property
    def exc_value(self) -> BaseException | None: ...


class _Signals:
    """The effect of a signal on this process."""

    def __init__(self) -> None:
        self.act: Callable[[], None] = self._exit
        """The effect of the first signal."""
        self.interrupted = False
        """Whether it has raised KeyboardInterrupt."""
        self._number = 0
        self._came_at = 0.0

    @property
    def exit_code(self) -> int:
        """The exit code of a program that a signal ended."""
        return 128 + (self._number or signal.SIGINT)

    def take(self) -> None:
        """Take the signals from now on. A signal that `nohup` ignores stays ignored."""
        for number in ENDS_IT:
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS_IT)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if not self._number:
            self._number, self._came_at = number, time.monotonic()
            self.act()
        elif time.monotonic() - self._came_at > SAME_WISH_SECONDS:
            self._exit()

    def _exit(self) -> None:
        with suppress(OSError):
            os.write(1, b"stopped\n")
        os._exit(self.exit_code)

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt. Worker processes of a pool end at once: the program waits for them.

        From now on a thread that fails says nothing: a pool's own does, once its workers have ended.
        """
        threading.excepthook = _say_nothing
        if processes := sys.modules.get("multiprocessing.process"):
            for worker in processes.active_children():
                worker.terminate()
        self.interrupted = True
        raise KeyboardInterrupt

    def exit_at_once(self) -> None:
        """Let a signal end the process at once, from now on."""
        self.act = self._exit


def _say_nothing(_: threading.ExceptHookArgs) -> None:
    pass


_signals: Final = _Signals()


@contextmanager
def held_back() -> Iterator[None]:
    """Hold signals back while a program is started by `python -m local`: it takes them as soon as it can."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS_IT)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def stopping_by(stop: Callable[[], None]) -> Iterator[None]:
    """Let a signal call `stop` while the block runs. When the block has ended, it raises KeyboardInterrupt."""
    before, called = _signals.act, []

    def act() -> None:
        called.append(stop)
        stop()

    _signals.act = act
    try:
        yield
    finally:
        _signals.act = before
    if called:
        raise KeyboardInterrupt


def end_with(program: Callable[[], int | None]) -> NoReturn:
    """Run a program and end the process with its exit code, or as a signal asks."""
    _signals.act = _signals.interrupt
    _signals.take()
    os.register_at_fork(after_in_child=_forget_signals)
    signal.signal(signal.SIGALRM, _raise)
    sys.unraisablehook = _raise_again
    try:
        try:
            code = program()
            sys.stdout.flush()
        finally:
            _signals.exit_at_once()
        if _signals.interrupted:
            raise KeyboardInterrupt  # as if nobody had caught it
    except KeyboardInterrupt:
        with suppress(OSError):
            print("stopped", flush=True)
        os._exit(_signals.exit_code)  # threads that wait for a reply are not waited for
    except OSError as error:
        if error.errno not in NOBODY_READS:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 128 + signal.SIGPIPE
    sys.exit(code)


def _forget_signals() -> None:
    """Let a signal end a forked process silently: its parent says what happened."""
    for number in ENDS_IT:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS_IT)


def _raise_again(ignored: _Unraisable, /) -> None:
    if isinstance(ignored.exc_value, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, RAISE_AGAIN_SECONDS)
    else:
        sys.__unraisablehook__(ignored)  # type: ignore[arg-type]  # typeshed's type is private


def _raise(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Start the module that the command line names."""
    _signals.take()
    os.umask(UMASK)
    os.environ.pop("LOG_LEVEL", None)  # of other programs; ours is POWERTOOLS_LOG_LEVEL
    name = sys.argv[1]
    sys.argv[:] = sys.argv[1:]
    module = import_module(name)
    if hasattr(module, "__path__"):
        module = import_module(f"{name}.__main__")
    end_with(module.main)
