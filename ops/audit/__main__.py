"""`make audit`: check a table for contradictions. It only reads, no faster than --rate.

Exit codes: 0 for no findings, 1 for findings (a line each), 2 if the table could not be read.
"""

import argparse
import sys
import time
from typing import Any, Final

from rich.console import Console

from local.options import above_zero
from local.running import NotRunningError, use_running
from lockstep.dynamodb.item import Item
from ops.audit.audit import audit
from ops.audit.reader import Budget, CannotReadError, Reader
from ops.audit.report import counts
from ops.audit.seen import Seen
from ops.table import add_options, named, reaching
from sim.show import make_console

RATE: Final = 100.0
"""The default rate for a deployed table, in read units a second."""
CLEAN, FINDINGS, UNREADABLE = 0, 1, 2


def run(client: Any, table: str, rate: float | None, console: Console) -> int:
    """Audit a table, print the findings and the counts, and return the exit code."""
    reader, seen, began, found = Reader(client, table, Budget(rate)), Seen(), time.monotonic(), 0
    try:
        for finding in audit(reader, seen):
            found += 1
            console.print(str(finding), soft_wrap=True)
    except CannotReadError as error:
        console.print(f"the audit is not complete, after {found} findings: {error}", soft_wrap=True)
        return UNREADABLE
    console.print(counts(seen, reader, time.monotonic() - began, found))
    console.print(f"Findings: {found}." if found else "Everything fits together.")
    return FINDINGS if found else CLEAN


def _rate(text: str) -> float:
    return above_zero(text, "read units", sys.float_info.max)


def main() -> int:
    """Parse the command line, audit, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    add_options(parser)
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--rate", type=_rate, help=f"most read units a second; default {RATE:.0f}, unlimited on --port")
    options = parser.parse_args()
    console = make_console()
    try:
        table = named(options)
        if table:
            return run(reaching(), table, options.rate or RATE, console)
        use_running(options.port)
        return run(reaching(), Item.Meta.table_name, options.rate, console)
    except (CannotReadError, NotRunningError) as error:
        console.print(str(error), soft_wrap=True)
        return UNREADABLE


if __name__ == "__main__":
    sys.exit(main())
