"""Every recorded request on every recorded state, replayed: as Jobmon did it, or as a numbered departure says."""

from collections import Counter

import pytest

from local.seed import Seed, load
from tests.conformance.departures import Case, expected
from tests.conformance.recording import Player, in_our_ids, number, prepared, read

CASES = read("matrix")


@pytest.fixture(scope="module")
def player(table: str) -> Player:
    assert table
    seed = Seed()
    for index, case in enumerate(CASES):
        rows = prepared(case, number(case, index))
        seed.arrays += rows.arrays
        seed.tasks += rows.tasks
        seed.task_instances += rows.task_instances
    load(seed)
    return Player()


@pytest.mark.parametrize(("index", "case"), list(enumerate(CASES)), ids=[case["case_id"] for case in CASES])
def test_as_recorded(player: Player, index: int, case: Case) -> None:
    symbols = number(case, index)
    departure, outcome = expected(case)
    assert player.play(case, symbols) == in_our_ids(outcome, symbols), f"departure {departure}"


def test_what_agrees_and_what_departs() -> None:
    """The figures of docs/conformance.md."""
    assert Counter(expected(case)[0] for case in CASES) == {
        None: 3223,
        "7": 8,
        "5": 7,
        "10": 329,
        "3": 258,
        "11": 35,
        "12": 17,
        "2": 149,
        "framework": 16,
        "1": 23,
        "14": 4,
        "17": 6,
        "9": 17,
        "4": 6,
        "8": 1,
        "13": 2,
        "24": 2,
        "21": 1,
    }
