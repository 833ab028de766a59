"""Run the demo and `make workflow` on a system of their own, and print what went wrong in a few lines."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import Final

from rich.console import Console

from local.engine import ENDPOINT_VARIABLE, EngineError
from local.pages import to_open
from local.start import stopping_by
from sim.client import UnansweredError
from sim.show import make_console
from sim.system import QUIET, System, system

MOST_LINES: Final = 20
"""The lines of an error that are printed: if the system ends, every worker adds one."""


class ProgramFailedError(Exception):
    """A program that was to run on the system did not end well; the message begins with how."""


def show_on_a_system(
    workers: int, drive: Callable[[Console, ThreadPoolExecutor, System], bool], *, keep: bool = False
) -> bool:
    """Start a system, drive it with so many threads, and return whether everything went as expected.

    keep: serve on after that, until a signal comes.
    """
    console = make_console()
    console.print("starting the API")
    try:
        with ThreadPoolExecutor(workers) as crew, system(QUIET, named=True) as running:
            console.print(f"the API answers at {running.url}")
            well = drive(console, crew, running)
            if keep:
                _serve_on(console, running)
            return well
    except (EngineError, ProgramFailedError, UnansweredError) as error:
        console.print("What must not be:", *str(error).splitlines()[:MOST_LINES], sep="\n", soft_wrap=True)
        return False


def _serve_on(console: Console, running: System) -> None:
    """Let people look at the system until a signal comes."""
    console.print(f"The API serves on at {running.api} until Ctrl-C.", soft_wrap=True)
    console.print(*to_open(running.url), sep="\n", soft_wrap=True)
    console.print(f"To check its table: {ENDPOINT_VARIABLE}={running.endpoint} make audit", soft_wrap=True)
    stopped: SimpleQueue[None] = SimpleQueue()  # a signal may put into it even while this thread gets
    with suppress(KeyboardInterrupt), stopping_by(lambda: stopped.put(None)):
        stopped.get()
