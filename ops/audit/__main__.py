"""`make audit`: whether everything in a table fits together. Reads only, no faster than it is told to.

Ends with 0 if it does, 1 if something is wrong (a line for each finding), 2 if the table could not be read.
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
from local.signing import cloudformation
from lockstep.dynamodb.item import Item
from ops.audit.auditing import audit
from ops.audit.ledger import Ledger
from ops.audit.printing import counts
from ops.audit.reading import Budget, CannotReadError, Reader

OUTPUT: Final = "TableName"
"""Of the stack."""
RATE: Final = 100.0
"""Read units a second that are taken of a deployed table, unless the caller says otherwise."""
WIDTH_OF_NO_TERMINAL: Final = 100
CLEAN, FINDINGS, UNREADABLE = 0, 1, 2


def run(client: Any, table: str, rate: float | None, console: Console) -> int:
    """Audit a table and print what is found; the exit code."""
    reader, ledger, began, found = Reader(client, table, Budget(rate)), Ledger(), time.monotonic(), 0
    try:
        for finding in audit(reader, ledger):
            found += 1
            console.print(str(finding), soft_wrap=True)
    except CannotReadError as error:
        console.print(f"the audit is not complete, after {found} findings: {error}", soft_wrap=True)
        return UNREADABLE
    console.print(counts(ledger, reader, time.monotonic() - began, found))
    console.print(f"Findings: {found}." if found else "Everything fits together.")
    return FINDINGS if found else CLEAN


def table_of(stack: str) -> str:
    """The table of a deployed stack.

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
    raise CannotReadError(f"stack {stack} has no output {OUTPUT}: it is no Lockstep")


def _rate(text: str) -> float:
    return above_zero(text, "read units", sys.float_info.max)


def _client(region: str | None) -> Any:
    """A real table is read again when it throttles."""
    config = Config(retries={"mode": "standard", "total_max_attempts": 10})
    try:
        return botocore.session.get_session().create_client("dynamodb", region_name=region, config=config)
    except NoRegionError as error:
        raise CannotReadError("say in which region the table is: REGION=us-east-1, or AWS_DEFAULT_REGION") from error
    except BotoCoreError as error:
        raise CannotReadError(str(error)) from error


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stack", type=not_empty, help="a deployed stack")
    which.add_argument("--table", type=not_empty, help="by its name; without either, that of what runs on --port")
    parser.add_argument("--region", type=not_empty, default=os.environ.get("AWS_DEFAULT_REGION"), help="of either")
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--rate", type=_rate, help=f"read units a second at most; {RATE:.0f} unless on --port")
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
