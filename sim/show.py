"""What a person sees of a soak: how it goes on, and what it closes with."""

import asyncio
import time
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from local.soak.tally import Tally

WIDTH_OF_NO_TERMINAL: Final = 100
SECONDS_BETWEEN_LINES: Final = 10.0
SECONDS_BETWEEN_PICTURES: Final = 0.5
_LINE: Final = ("workers alive", "workers", "requests", "retries", "lost replies", "worker kills")
_CLOSING: Final = (
    "workflows",
    "runs",
    "workers",
    "requests",
    "retries",
    "lost replies",
    "worker kills",
    "distributor kills",
    "gateway kills",
    "engine stops",
    "engine freezes",
    "hot resumes",
    "cold resumes",
    "instances stopped by resumes",
    "stuck workflows",
    "rivals",
    "workers overtaken after a report in limbo",
    "workers told to stop",
    "silences",
    "last reports sent twice at once",
    "heartbeats after the last report",
    "heartbeats overtaken by the last report",
    "starts reported again after the end",
    "workers without an answer",
    "audits meanwhile",
    "audits broken off by a fault",
)


class View:
    """How it goes on: a live line in a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, tally: Tally) -> None:
        self._console, self._tally, self._began = console, tally, time.monotonic()
        self._live = console.is_terminal and not console.is_dumb_terminal

    async def show(self) -> None:
        """Until it is cancelled."""
        if not self._live:
            while True:
                await asyncio.sleep(SECONDS_BETWEEN_LINES)
                self.say(self._line())
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while True:
                live.update(self._line(), refresh=True)
                await asyncio.sleep(SECONDS_BETWEEN_PICTURES)

    def say(self, line: str) -> None:
        """Something worth a line of its own."""
        self._console.print(line, soft_wrap=True)

    @property
    def minutes(self) -> float:
        """Since it began."""
        return (time.monotonic() - self._began) / 60

    def _line(self) -> str:
        counts = self._tally.counts
        faults = sum(counts[each] for each in ("gateway kills", "engine stops", "engine freezes"))
        said = ", ".join(f"{counts[name]:,} {name}" for name in _LINE)
        return f"{self.minutes:5.1f} min: {said}, {faults} faults, {counts['violations']} violations"


def console() -> Console:
    """For both."""
    made = Console(highlight=False, markup=False)
    if not made.is_terminal:
        made.width = WIDTH_OF_NO_TERMINAL
    return made


def closing(tally: Tally, minutes: float, stood: float) -> Table:
    """What happened. stood: after how many minutes all was left in peace."""
    table = Table("the soak", "how many", title="What was done to it", title_justify="left")
    table.columns[1].justify = "right"
    table.add_row("minutes, and with what drains it", f"{stood:.1f}, {minutes:.1f}")
    for name in _CLOSING:
        table.add_row(name, f"{tally.counts[name]:,}")
    table.add_section()
    for reply, count in tally.replies.most_common():
        table.add_row(f"answered {reply}" if reply.isdigit() else reply, f"{count:,}")
    table.add_section()
    for name, count in sorted(tally.counts.items()):
        if name.startswith("tasks that"):
            table.add_row(name, f"{count:,}")
    table.add_row("what must not be", f"{tally.counts['violations']:,}")
    return table
