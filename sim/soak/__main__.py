"""`make soak`: workers that die, repeat themselves and come late, while engine and gateway are killed.

Ends with 0 only if the audit finds nothing and everything is as callers were told. Nothing that it starts outlives it.
"""

import argparse
import secrets

from local.options import above_zero, not_empty
from local.start import end_with
from sim.show import make_console
from sim.soak.soaking import Plan, soak

MOST_MINUTES = 7 * 24 * 60


def main() -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=lambda text: above_zero(text, "minutes", MOST_MINUTES), default=5.0)
    parser.add_argument(
        "--seed", type=not_empty, default=secrets.token_hex(4), help="of every choice; printed at the start"
    )
    options = parser.parse_args()
    return 0 if soak(Plan(options.seed, options.minutes), make_console()) else 1


if __name__ == "__main__":
    end_with(main)
