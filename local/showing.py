"""How the demo and `make workflow` run: on a system of their own, and with what must not be in a few lines."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from rich.console import Console

from local.engine import EngineError
from sim.client import UnansweredError
from sim.show import make_console
from sim.system import QUIET, System, system

MOST_LINES: Final = 20
"""The lines of an error that are printed: if the system ends, every worker adds one."""


class ProgramFailedError(Exception):
    """A program that was to run on the system did not end well; the message begins with how."""


def show_on_a_system(workers: int, drive: Callable[[Console, ThreadPoolExecutor, System], bool]) -> bool:
    """Start a system, drive it with so many threads, and return whether everything went as expected."""
    console = make_console()
    console.print("starting the API")
    try:
        with ThreadPoolExecutor(workers) as crew, system(QUIET, named=True) as running:
            console.print(f"the API answers at {running.url}")
            return drive(console, crew, running)
    except (EngineError, ProgramFailedError, UnansweredError) as error:
        console.print("What must not be:", *str(error).splitlines()[:MOST_LINES], sep="\n", soft_wrap=True)
        return False
