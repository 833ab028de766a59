"""Show the demo's progress: a live picture in a terminal, lines elsewhere."""

import time
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table

from lockstep.fsm.statuses import TaskInstanceStatus
from sim.record import Record
from sim.show import is_live
from sim.tally import Tally

WORKERS_BETWEEN_LINES: Final = 50
BAR_WIDTH: Final = 24


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
        """Print a line now and then, unless the picture is live."""
        if not is_live(self._console) and (ended % WORKERS_BETWEEN_LINES == 0 or ended == workers):
            self.say(f"  {ended} of {workers} workers have ended, {self._rate()}: {self._counts()}")

    def picture(self) -> RenderableType:
        """Draw the tasks' progress."""
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
