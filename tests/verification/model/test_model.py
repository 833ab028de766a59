"""A bounded walk, and proof that it can fail: it finds deliberate mistakes."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.verification.model.machine import walk
from tests.verification.model.mistakes import OTHERS, QUICK, made
from tests.verification.model.mistakes.mistake import Mistake

BOUNDED = settings(
    max_examples=4,
    stateful_step_count=20,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
UNTIL_FOUND = settings(BOUNDED, max_examples=100)


@pytest.fixture(autouse=True)
def _in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Time is told in UTC whatever the machine's zone. Some walks begin in an hour that comes twice there."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


def test_the_api_does_as_the_oracle_says() -> None:
    tally = walk(BOUNDED)
    assert tally.examples >= BOUNDED.max_examples
    assert sum(tally.requests.values()) > 2_000
    assert len(tally.situations) > 200
    assert sum(tasks for attempts, tasks in tally.attempts.items() if attempts > 1) > 50
    assert sum(tally.runs.values()) > 3 * tally.examples, "a workflow passes from one run to the next"
    assert tally.followed > 30
    walked = {pair for (kind, pair), times in tally.edges.items() if kind == "instance" and times}
    assert len(walked) >= 16, sorted(walked)
    moves = {pair for (kind, pair), times in tally.edges.items() if kind == "run" and times}
    assert len(moves) >= 12, sorted(moves)


@pytest.mark.parametrize("mistake", QUICK.values(), ids=QUICK)
def test_a_mistake_is_found(mistake: Mistake) -> None:
    with made(mistake), pytest.raises(AssertionError, match=r"should|answers|\bwas\b|\bis\b"):
        walk(UNTIL_FOUND)


@pytest.mark.parametrize("mistake", OTHERS.values(), ids=OTHERS)
def test_a_rare_mistake_can_be_made(mistake: Mistake) -> None:
    """`python -m tests.verification.model --mistakes` finds them: it takes minutes."""
    with made(mistake):
        pass
