"""Show a soak's progress and its result to a person."""

import threading
import time
from typing import Final

from rich.console import Console
from rich.table import Table

from sim.show import is_live, live
from sim.soak.storm import KINDS
from sim.tally import Tally

SECONDS_BETWEEN_LINES: Final = 10.0
_LINE: Final = ("workers alive", "workers", "requests", "retries", "lost replies", "worker kills")


class View:
    """Shows a live line in a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, tally: Tally) -> None:
        self._console, self._tally, self._began = console, tally, time.monotonic()

    def show(self, ended: threading.Event) -> None:
        """Show it until it has ended."""
        with live(self._console, self._line):
            while not ended.wait(SECONDS_BETWEEN_LINES):
                if not is_live(self._console):
                    self.say(self._line())

    def say(self, line: str) -> None:
        """Print a line."""
        self._console.print(line, soft_wrap=True)

    @property
    def minutes(self) -> float:
        """The minutes that the soak has taken so far."""
        return (time.monotonic() - self._began) / 60

    def _line(self) -> str:
        counts = self._tally.counts
        faults = sum(counts[kind] for kind in KINDS)
        counted = ", ".join(f"{counts[name]:,} {name}" for name in _LINE)
        return f"{self.minutes:5.1f} min: {counted}, {faults} faults, {counts['violations']} violations"


def closing(tally: Tally, minutes: float, stood: float) -> Table:
    """Make the table of all that happened. stood: after how many minutes all was left in peace."""
    table = Table("the soak", "how many", title="What was done to it", title_justify="left")
    table.columns[1].justify = "right"
    table.add_row("minutes, and with what drains it", f"{stood:.1f}, {minutes:.1f}")
    for name, count in sorted(tally.counts.items()):
        if count and name != "violations":
            table.add_row(name, f"{count:,}")
    table.add_section()
    for outcome, count in tally.replies.most_common():
        table.add_row(f"answered {outcome}" if outcome.isdigit() else outcome, f"{count:,}")
    table.add_section()
    table.add_row("what must not be", f"{tally.counts['violations']:,}")
    return table
