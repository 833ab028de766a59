"""`make verify`: check a deployment, local or on AWS, over its API, and its table where STACK or TABLE names it.

The checks of the table need AWS credentials that may read, write and delete items of it. They write under a partition
of their own, and delete it. With a URL on this machine the table is that of the system that runs there.
The token is read from the environment variable TOKEN: a command line shows in the list of processes.
Exits with 0 if everything holds, 1 if something does not, 2 if verification cannot start.
"""

import argparse
import os
import sys
from typing import Final
from urllib.parse import urlsplit

from local.running import NotRunningError, use_running
from ops.audit.reader import CannotReadError
from ops.table import add_options, named, reaching
from ops.verify.api import Api
from ops.verify.checks import Checks, say
from ops.verify.table import check_table
from ops.verify.target import THIS_MACHINE, UsageError, read_target
from ops.verify.walk import walk

HOLDS, DOES_NOT_HOLD, CANNOT_START = 0, 1, 2
NOT_ASKED: Final = "The table is not checked: STACK=… or TABLE=… with AWS credentials tells what only an account can."


def main(arguments: list[str] | None = None) -> int:
    """Verify a deployment and return the exit code."""
    parser = argparse.ArgumentParser(prog="make verify", description=__doc__)
    parser.add_argument("--url", default="", help="of the deployment: the stack's output ApiUrl")
    add_options(parser)
    options = parser.parse_args(arguments)
    checks = Checks()
    try:
        if options.url or not (options.stack or options.table):
            target = read_target(options.url, os.environ.get("TOKEN", ""))
            with Api(target) as api:
                walk(api, checks, target.token)
        if options.stack or options.table:
            use_system_at(options.url)
            if table := named(options):
                check_table(reaching(), table, checks)
        else:
            say(f"\n{NOT_ASKED}")
    except (CannotReadError, NotRunningError, UsageError) as error:
        print(f"make verify: {error}", file=sys.stderr)
        return CANNOT_START
    return conclude(checks)


def use_system_at(url: str) -> None:
    """Go to the table of the system at a URL, if that is on this machine."""
    parts = urlsplit(url)
    if parts.hostname in THIS_MACHINE:
        use_running(parts.port or 80)


def conclude(checks: Checks) -> int:
    """Print the verdict and return the exit code."""
    if not checks.failed:
        say(f"\nAll {checks.held} checks hold.")
        return HOLDS
    say(f"\n{len(checks.failed)} of {checks.held + len(checks.failed)} checks do not hold:")
    for sentence in checks.failed:
        say(f"  - {sentence}")
    return DOES_NOT_HOLD


if __name__ == "__main__":
    sys.exit(main())
