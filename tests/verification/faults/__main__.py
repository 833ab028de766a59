"""Every fault at every request of every scenario, and pairs of faults, with how many there were of each."""

import argparse
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from random import Random

from lockstep.observability import logger
from tests.support.pool import pool
from tests.verification.faults.engine import Struck, working
from tests.verification.faults.kinds import TIMES
from tests.verification.faults.matrix import Clean, Tally, every_fault, pairs_of_faults, sampled, try_out
from tests.verification.faults.scenarios import SCENARIOS, Scenario

MOST_SHOWN = 100


def some(one_of: int, scenario: Scenario, clean: Clean) -> Iterable[list[Struck]]:
    """Single faults: all of them, or every so manieth."""
    return sampled(every_fault(scenario, clean), scenario, one_of)


def pairs(seed: int, most: int, scenario: Scenario, clean: Clean) -> Iterable[list[Struck]]:
    """Some pairs of faults for a scenario, other ones for another seed."""
    return pairs_of_faults(clean, Random(f"{seed} {scenario}"), most)  # noqa: S311  # a sample, not a secret


def try_one(index: int, one_of: int, seed: int, most: int) -> tuple[Tally, Tally]:
    """Single faults and pairs of a scenario."""
    logging.getLogger(logger.name).setLevel("CRITICAL")
    with working() as world:
        single = try_out(world, SCENARIOS[index], partial(some, one_of))
        return single, try_out(world, SCENARIOS[index], partial(pairs, seed, most))


def show(title: str, of: Callable[[tuple[str, str, int]], str], runs: Counter[tuple[str, str, int]]) -> None:
    """A table of counts."""
    counts: Counter[str] = Counter()
    for what, number in runs.items():
        counts[of(what)] += number
    print(f"\n{title}")
    for name, number in counts.most_common():
        print(f"  {number:>7,}  {name}")


def main() -> int:
    """Try all, and say what there was."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--one-of", type=int, default=1, help="try one of so many single faults")
    parser.add_argument("--pairs", type=int, default=30, help="of faults, for each scenario and order")
    parser.add_argument("--seed", type=int, default=1, help="of the pairs")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    began = time.monotonic()
    single, double = Tally(), Tally()
    with pool(options.processes) as processes:
        work = partial(try_one, one_of=options.one_of, seed=options.seed, most=options.pairs)
        for one, two in processes.map(work, range(len(SCENARIOS))):
            single.add(one)
            double.add(two)
    show("single faults, by route", lambda what: what[0], single.runs)
    show("by fault", lambda what: what[1], single.runs)
    show("in a row", lambda what: TIMES[what[2]], single.runs)
    failures = single.failures + double.failures
    print(
        f"\n{len(SCENARIOS)} scenarios in {time.monotonic() - began:.0f} s:"
        f" {single.runs.total():,} single faults, of which {single.unavailable:,} were answered 503,"
        f" and {double.runs.total():,} pairs of faults, {double.unavailable:,}; {len(failures)} failures"
    )
    for failure in failures[:MOST_SHOWN]:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
