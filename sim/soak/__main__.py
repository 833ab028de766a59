"""`make soak`: workers that die, repeat themselves and come late, while engine and gateway are stopped and killed.

Ends with 0 only if the audit finds nothing and everything is as callers were told. Nothing that it starts outlives it.
"""

import argparse
import secrets
import signal
import sys

from local.engine import EngineError
from local.options import above_zero, not_empty
from local.soak.show import console
from local.soak.soaking import Plan, soak


def _minutes(text: str) -> float:
    return above_zero(text, "minutes", 7 * 24 * 60)


def main() -> int:
    """The exit code: 0, 1 where something does not hold, or 128 and the number of the signal."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=_minutes, default=5.0)
    parser.add_argument(
        "--seed", type=not_empty, default=secrets.token_hex(4), help="of every choice; printed at the start"
    )
    options = parser.parse_args()
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        return 0 if soak(Plan(options.seed, options.minutes), console()) else 1
    except KeyboardInterrupt:
        print("stopped")
        return 128 + signal.SIGINT
    except EngineError as error:
        print(f"What must not be: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
