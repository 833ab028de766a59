"""`make explore`: every pair of reports at every start, in every order of their calls; then three at a time.

Every pair of requests about a workflow and its run follows, wherever they stand.

Clocks that differ and reads that lag are tried where everything is overdue: once for every pair of statuses.

It says how many orders there were, and exits 1 if one of them led where no order of the reports leads.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from lockstep.observability import logger
from tests.support.pool import pool
from tests.verification.explore.courses import courses
from tests.verification.explore.exploring import Found, afresh, meet, pairs_of, workflow_pairs_of
from tests.verification.explore.meetings import MEETINGS, SKEW_SECONDS, Meeting
from tests.verification.explore.runs import RUN_STARTS
from tests.verification.explore.schedules import States
from tests.verification.explore.starts import OVERDUE, STARTS, SUPERSEDED

logging.getLogger(logger.name).setLevel("CRITICAL")
MEETINGS_AT_ONCE = 100
SAY_EACH = 25


_ALL_OF_THEM = settings(database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


def triples(number: int, first: int) -> Found:
    """So many meetings of three, which another number would make others of."""
    found: list[Found] = []

    @seed(first)
    @settings(_ALL_OF_THEM, max_examples=number)
    @given(MEETINGS)
    def explored(meeting: Meeting) -> None:
        with courses() as known:
            met = meet(known, States().state(meeting.start.table()), *meeting.requests)
        found.append(met._replace(disagreements=tuple(f"{meeting}: {each}" for each in met.disagreements)))

    explored()
    return _sum(found)


def _sum(found: Iterable[Found]) -> Found:
    each = list(found)
    return Found(
        sum(one.meetings for one in each),
        sum(one.schedules for one in each),
        tuple(disagreement for one in each for disagreement in one.disagreements),
    )


def _telling(what: str, of: int, found: Iterable[Found]) -> Iterator[Found]:
    began = time.monotonic()
    meetings = schedules = 0
    for number, each in enumerate(found, 1):
        meetings, schedules = meetings + each.meetings, schedules + each.schedules
        for disagreement in each.disagreements:
            print(disagreement, file=sys.stderr)
        if number % SAY_EACH == 0 or number == of:
            minutes = (time.monotonic() - began) / 60
            so_far = f"{meetings:,} meetings, {schedules:,} schedules, {minutes:.1f} min"
            print(f"{what}: {number} of {of}, {so_far}", flush=True)
        yield each


def main() -> int:
    """Explore everything, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--triples", type=int, default=2_000, help="meetings of three reports")
    options = parser.parse_args()
    rounds = -(-options.triples // MEETINGS_AT_ONCE)
    pairs = partial(afresh, pairs_of)
    work: dict[str, tuple[Callable[..., Found], Sequence[Any]]] = {
        "pairs": (pairs, STARTS),
        f"pairs, clocks {SKEW_SECONDS:.0f} s apart": (partial(pairs, skew=SKEW_SECONDS), OVERDUE),
        "pairs, reads that lag": (partial(pairs, lag=True), OVERDUE),
        "pairs, of two attempts": (pairs, SUPERSEDED),
        "pairs about a workflow": (partial(afresh, workflow_pairs_of), RUN_STARTS),
        "threes": (partial(triples, MEETINGS_AT_ONCE), range(rounds)),
    }
    with pool() as processes:
        begun = [(what, len(each), processes.map(do, each)) for what, (do, each) in work.items()]
        found = _sum(one for what, of, each in begun for one in _telling(what, of, each))
    print(f"{found.meetings:,} meetings in {found.schedules:,} schedules: {len(found.disagreements)} disagree")
    return 1 if found.disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
