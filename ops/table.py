"""The table that a program works on: how a person names it, and a client that reaches it."""

import argparse
import os
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from local.options import not_empty
from ops.audit.reader import CannotReadError
from ops.token import output_of

OUTPUT: Final = "TableName"
"""The stack's output that names the table."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let a person name a table: --stack or --table, and --region."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--stack", type=not_empty, help="the table of this deployed stack")
    which.add_argument("--table", type=not_empty, help="the table of this name")
    parser.add_argument("--region", type=not_empty, help="the region of the stack or table")


def named(options: argparse.Namespace) -> str | None:
    """Go to the region that is named, and return the table's name there; None if none is named.

    Raises:
        CannotReadError: the stack has none.
    """
    if options.region:
        os.environ["AWS_DEFAULT_REGION"] = options.region
    if options.table or not options.stack:
        return options.table and str(options.table)
    try:
        table = output_of(options.stack, OUTPUT)
    except (BotoCoreError, ClientError) as error:
        raise CannotReadError(str(error)) from error
    if not table:
        raise CannotReadError(f"stack {options.stack} has no output {OUTPUT}: it is not a Lockstep stack")
    return table


def reaching() -> Any:
    """Make a client that retries where a real table throttles.

    Raises:
        CannotReadError: it is not said where the table is, or who asks.
    """
    config = Config(retries={"mode": "standard", "total_max_attempts": 10})
    try:
        return botocore.session.get_session().create_client("dynamodb", config=config)
    except NoRegionError as error:
        raise CannotReadError("name the table's region: REGION=us-east-1, or AWS_DEFAULT_REGION") from error
    except BotoCoreError as error:
        raise CannotReadError(str(error)) from error
