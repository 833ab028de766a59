"""Every recorded request on every recorded state, replayed: as Jobmon did it, or as a numbered departure says."""

from collections import Counter
from functools import lru_cache

import pytest

from local.seed import Seed, load
from tests.conformance.departures import Case, expected
from tests.conformance.files import read
from tests.conformance.recording import Player, in_our_ids, number, prepared
from tests.support.memory.boundary import Memory, calls_in_memory
from tests.support.memory.operations import Table

CASES = read("matrix")
LOADED_TOGETHER = 25
"""Cases. The more there are in a table, the longer takes each of its queries."""


@pytest.fixture(scope="module")
def player() -> Player:
    return Player()


@lru_cache(maxsize=1)
def loaded(part: int) -> Table:
    """What some cases begin with. Each begins with all of it, and has ids of its own."""
    seed = Seed()
    for index, case in list(enumerate(CASES))[part * LOADED_TOGETHER :][:LOADED_TOGETHER]:
        rows = prepared(case, number(case, index))
        seed.arrays += rows.arrays
        seed.tasks += rows.tasks
        seed.task_instances += rows.task_instances
    with calls_in_memory() as memory:
        load(seed)
    return memory.table


@pytest.mark.parametrize(("index", "case"), list(enumerate(CASES)), ids=[case["case_id"] for case in CASES])
def test_as_recorded(memory: Memory, player: Player, index: int, case: Case) -> None:
    memory.table = loaded(index // LOADED_TOGETHER)
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
