"""`make fuzz`: requests made of docs/openapi.json, others each time, and a count of what came back."""

import argparse
import time
from typing import Final

from tests.verification.fuzz.fuzzing import Tally, fuzz, name_of, operations
from tests.verification.fuzz.system import fuzzed

EXAMPLES: Final = 50
"""Of each kind and operation, between one seeding and the next."""


def main() -> None:
    """Fuzz until the time is up. A reply that is not as described ends it, with the request that led to it."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    seconds = parser.parse_args().minutes * 60
    tally, seedings = Tally(), 0
    try:
        with fuzzed() as system:
            give_up = time.monotonic() + seconds
            while time.monotonic() < give_up:
                system.seed()
                seedings += 1
                for operation in operations():
                    fuzz(operation, system, EXAMPLES, tally, deterministic=False)
    finally:
        for operation in operations():
            name = name_of(operation)
            counts = tally.of(name)
            statuses = "  ".join(f"{status}: {number}" for status, number in counts.items())
            print(f"{name:28} {sum(counts.values()):7,}   {statuses}")
        print(f"{tally.requests:,} requests to {len(operations())} operations, {seedings} times seeded")


if __name__ == "__main__":
    main()
