"""`make audit`: check a table for contradictions. It only reads, no faster than --rate.

Exit codes: 0 for no findings, 1 for findings (a line each), 2 if the table could not be read.
"""

import argparse
import os
import sys
import time
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError
from rich.console import Console

from local.options import above_zero, not_empty
from local.running import NotRunningError, use_running
from lockstep.dynamodb.item import Item
from ops.audit.audit import audit
from ops.audit.reader import Budget, CannotReadError, Reader
from ops.audit.report import counts
from ops.audit.seen import Seen
from ops.token import cloudformation

OUTPUT: Final = "TableName"
"""The stack's output that names the table."""
RATE: Final = 100.0
"""The default rate for a deployed table, in read units a second."""
WIDTH_OF_NO_TERMINAL: Final = 100
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


def table_of(stack: str) -> str:
    """The name of a deployed stack's table.

    Raises:
        CannotReadError: the stack has none.
    """
    try:
        [found] = cloudformation().describe_stacks(StackName=stack)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        raise CannotReadError(str(error)) from error
    for output in found.get("Outputs", []):
        if output["OutputKey"] == OUTPUT:
            return str(output["OutputValue"])
    raise CannotReadError(f"stack {stack} has no output {OUTPUT}: it is not a Lockstep stack")


def _rate(text: str) -> float:
    return above_zero(text, "read units", sys.float_info.max)


def _client(region: str | None) -> Any:
    """A client that retries where a real table throttles."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 10})
    try:
        return botocore.session.get_session().create_client("dynamodb", region_name=region, config=config)
    except NoRegionError as error:
        raise CannotReadError("name the table's region: REGION=us-east-1, or AWS_DEFAULT_REGION") from error
    except BotoCoreError as error:
        raise CannotReadError(str(error)) from error


def main() -> int:
    """Parse the command line, audit, and return the exit code."""
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stack", type=not_empty, help="a deployed stack")
    which.add_argument(
        "--table", type=not_empty, help="a table by its name; default: the table of the system that runs on --port"
    )
    parser.add_argument(
        "--region",
        type=not_empty,
        default=os.environ.get("AWS_DEFAULT_REGION"),
        help="the region of the stack or table",
    )
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--rate", type=_rate, help=f"most read units a second; default {RATE:.0f}, unlimited on --port")
    options = parser.parse_args()
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_NO_TERMINAL
    deployed = options.stack or options.table
    if options.region:
        os.environ["AWS_DEFAULT_REGION"] = options.region
    try:
        if not deployed:
            use_running(options.port)
            return run(_client(None), Item.Meta.table_name, options.rate, console)
        table = options.table or table_of(options.stack)
        return run(_client(options.region), table, options.rate or RATE, console)
    except (CannotReadError, NotRunningError) as error:
        console.print(str(error), soft_wrap=True)
        return UNREADABLE


if __name__ == "__main__":
    sys.exit(main())
