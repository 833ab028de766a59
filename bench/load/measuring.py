"""The same loads on Lockstep's local system and on Jobmon's server, by the same code, in turn."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from bench.load.client import Client, NotOkError
from bench.load.facts import Fact, facts, rows
from bench.load.generating import generate_on
from bench.load.herd import measure_herd
from bench.load.jobmon import THREADS, WORKERS, jobmon
from bench.load.load import Kind, Load
from bench.load.lockstep import lockstep
from bench.load.mariadb import mariadb
from bench.load.measured import Measured, judge, together
from bench.load.peer import NotAvailableError, database_folder
from bench.load.preparing import launch, start
from bench.load.reports import CONFLICTING
from bench.load.system import System
from bench.row import MARIADB, SQLITE, Section


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is asked of a system in one pass, on one array."""

    steps: int = 1000
    """Of the array, each of which is looked up."""
    warm_up: int = 24
    """Lives that are not counted."""
    lives: Mapping[int, int] = field(default_factory=lambda: {1: 60, 8: 120, 32: 240})
    """How many, by the number of clients."""
    lookup_clients: int = 32
    rounds: int = 20


PASSES: Final = 3
"""On each system in turn, so that what else the machine does falls on all of them."""
LOCKSTEP: Final = "Lockstep"
Key = tuple[str, Kind]
"""A load's name and kind."""
_SAID: Final = f"""..."""
