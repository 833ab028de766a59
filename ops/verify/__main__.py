"""`make verify`: check a deployment, local or on AWS, over its API.

The token is read from the environment variable TOKEN: a command line shows in the list of processes.
Exits with 0 if everything holds, 1 if something does not, 2 if verification cannot start.
"""

import argparse
import os
import sys

from ops.verify.api import Api
from ops.verify.checks import Checks, say
from ops.verify.target import UsageError, read_target
from ops.verify.walk import walk

HOLDS, DOES_NOT_HOLD, CANNOT_START = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Verify a deployment and return the exit code."""
    parser = argparse.ArgumentParser(prog="make verify", description=__doc__)
    parser.add_argument("--url", default="", help="of the deployment: the stack's output ApiUrl")
    options = parser.parse_args(arguments)
    checks = Checks()
    try:
        target = read_target(options.url, os.environ.get("TOKEN", ""))
        with Api(target) as api:
            walk(api, checks, target.token)
    except UsageError as error:
        print(f"make verify: {error}", file=sys.stderr)
        return CANNOT_START
    return conclude(checks)


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
