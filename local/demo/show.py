"""The demo from start to end, and what a person sees of it."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table

from local.demo.array import Array
from local.demo.fates import Fate, in_turn
from local.demo.verdict import close, find_endings
from local.engine import EngineError
from lockstep.statuses import TaskInstanceStatus
from sim.client import Client, UnansweredError
from sim.cluster import Cluster, Conduct
from sim.record import Record
from sim.requests import Request
from sim.show import is_live, live, make_console
from sim.system import System, system
from sim.tally import Tally

WORKERS: Final = 16
"""At once."""
WORKERS_BETWEEN_LINES: Final = 50
BAR_WIDTH: Final = 24
MOST_LINES: Final = 20
"""About what must not be: all is lost at once when the system ends."""
LOG: Final = {"POWERTOOLS_LOG_LEVEL": "ERROR"}
USAGE: Final = Request("GET", "/_local/usage")


def show() -> bool:
    """Start a system, drive an array through it and say how it went. Returns whether all is as it must be."""
    console = make_console()
    console.print("starting the API")
    try:
        with ThreadPoolExecutor(WORKERS) as crew, system(LOG, named=True) as running:
            console.print(f"the API answers at {running.url}")
            return _drive(console, crew, running)
    except (EngineError, UnansweredError) as error:
        console.print("What must not be:", *str(error).splitlines()[:MOST_LINES], sep="\n", soft_wrap=True)
        return False


def _drive(console: Console, crew: ThreadPoolExecutor, running: System) -> bool:
    tally, fates = Tally(), in_turn()
    with Client(running.api, tally.heard) as client, Client(running.url) as local:
        cluster = Cluster(client, tally, Conduct())
        cluster.calm = True
        try:
            fate_of = _run(console, cluster, crew, fates)
        finally:
            cluster.end()
        usage, sent = local.ask(USAGE), tally.counts["requests"]
        if usage["requests"] != sent:
            raise UnansweredError(f"{sent} requests were sent, {usage['requests']} reached the API")
        return close(console, fate_of, find_endings(client, crew, fate_of), usage)


def _run(console: Console, cluster: Cluster, crew: ThreadPoolExecutor, fates: list[Fate]) -> dict[int, Fate]:
    view = View(console, cluster.record, cluster.tally, len(fates))
    with live(console, view.picture):
        array = Array(cluster, crew, view, fates)
        view.say(f"{len(array.fate_of)} tasks are bound")
        array.drive()
    return array.fate_of


class View:
    """A live picture in a terminal, lines elsewhere."""

    def __init__(self, console: Console, record: Record, tally: Tally, tasks: int) -> None:
        self._console, self._record, self._tally, self._tasks = console, record, tally, tasks
        self._began = time.monotonic()
        self._given_up = 0

    def say(self, line: str) -> None:
        """Print an event."""
        self._console.print(line, soft_wrap=True)

    def give_up(self, tasks: int) -> None:
        """Count tasks that ended without being done."""
        self._given_up += tasks

    def progress(self, ended: int, workers: int) -> None:
        """Print a line now and then, where there is no picture."""
        if not is_live(self._console) and (ended % WORKERS_BETWEEN_LINES == 0 or ended == workers):
            self.say(f"  {ended} of {workers} workers have ended, {self._rate()}: {self._counts()}")

    def picture(self) -> RenderableType:
        """Draw how far the tasks are."""
        counts = self._record.statuses()
        ended = self._given_up + counts[TaskInstanceStatus.DONE]
        bar = Table.grid(padding=(0, 2))
        bar.add_row(
            ProgressBar(total=self._tasks, completed=ended, width=BAR_WIDTH),
            f"{ended} of {self._tasks} tasks ended",
            f"{counts.total()} attempts",
            self._rate(),
        )
        return Group(bar, self._counts())

    def _rate(self) -> str:
        return f"{self._tally.counts['requests'] / (time.monotonic() - self._began):.0f} requests/s"

    def _counts(self) -> str:
        counts = self._record.statuses()
        return ", ".join(f"{status.name} {counts[status]}" for status in TaskInstanceStatus if counts[status])
