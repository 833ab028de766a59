"""What a person sees while the demo runs: a live picture in a terminal, lines elsewhere."""

import threading
import time
from collections import Counter
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from lockstep.fsm.statuses import TaskInstanceStatus

SECONDS_BETWEEN_PICTURES: Final = 0.1
WORKERS_BETWEEN_LINES: Final = 50
BAR_WIDTH: Final = 24


class View:
    """What the system said so far. Any thread may tell it more; only the main thread shows it."""

    def __init__(self, console: Console, tasks: int) -> None:
        self._console = console
        self._tasks = tasks
        self._lock = threading.Lock()
        self._statuses: dict[int, TaskInstanceStatus] = {}
        self._given_up = 0
        self._requests = 0
        self._began = time.monotonic()
        self._pictured = 0.0
        live = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(self, console=console, auto_refresh=False) if live else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def told(self, task_instance_id: int, status: TaskInstanceStatus) -> None:
        """An instance has this status now."""
        with self._lock:
            self._statuses[task_instance_id] = status

    def gave_up(self, tasks: int) -> None:
        """So many tasks more have ended without being done."""
        self._given_up += tasks

    def say(self, line: str) -> None:
        """Something worth a line of its own."""
        self._console.print(line, soft_wrap=True)

    def progress(self, ended: int, workers: int, requests: int) -> None:
        """So many of the workers have ended, after so many requests in all."""
        self._requests = requests
        if self._live:
            self._picture(now=ended == workers)
        elif ended % WORKERS_BETWEEN_LINES == 0 or ended == workers:
            self.say(f"  {ended} of {workers} workers have ended, {self._rate()}: {self._counts()}")

    def _picture(self, *, now: bool) -> None:
        at = time.monotonic()
        if self._live and (now or at - self._pictured > SECONDS_BETWEEN_PICTURES):
            self._live.refresh()
            self._pictured = at

    def _rate(self) -> str:
        return f"{self._requests / (time.monotonic() - self._began):.0f} requests/s"

    def _counts(self) -> str:
        with self._lock:
            counts = Counter(self._statuses.values())
        return ", ".join(f"{status.name} {counts[status]}" for status in TaskInstanceStatus if counts[status])

    def __rich__(self) -> RenderableType:
        with self._lock:
            attempts = len(self._statuses)
            ended = self._given_up + Counter(self._statuses.values())[TaskInstanceStatus.DONE]
        bar = Table.grid(padding=(0, 2))
        bar.add_row(
            ProgressBar(total=self._tasks, completed=ended, width=BAR_WIDTH),
            f"{ended} of {self._tasks} tasks ended",
            f"{attempts} attempts",
            self._rate(),
        )
        return Group(bar, self._counts())
