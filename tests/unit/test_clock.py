"""Time: in UTC wherever a function runs, however far a moment lies; and how long what belongs to a task is kept."""

import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockstep import clock
from lockstep.array.item import LAUNCHED_PREFIX, due_key
from lockstep.dynamodb.client import connection
from lockstep.http.fields import MAX_INCREMENT_SECONDS
from sim import requests
from tests.conformance.recording import Player
from tests.support.life import Life
from tests.support.memory import in_memory
from tests.support.serving import alone, ended


@pytest.mark.parametrize(("days", "expires_at"), [(0.0, None), (30.0, 30 * 86_400 + 1), (0.5, 43_201)])
def test_nothing_goes_early(monkeypatch: pytest.MonkeyPatch, days: float, expires_at: int | None) -> None:
    monkeypatch.setattr(clock, "RETENTION_DAYS", days)
    assert clock.expiry(0.25) == expires_at


@pytest.mark.parametrize(("value", "days"), [(None, "0.0"), ("", "0.0"), ("0", "0.0"), ("30", "30.0")])
def test_no_period_is_for_ever(value: str | None, days: str) -> None:
    environment = {name: old for name, old in alone().items() if name != "RETENTION_DAYS"}
    environment |= {} if value is None else {"RETENTION_DAYS": value}
    said = ended(sys.executable, "-c", "from lockstep import clock; print(clock.RETENTION_DAYS)", env=environment)
    assert said.stdout.strip() == days


HOURS = [
    *("2026-03-08T06:59:59.5", "2026-03-08T07:00:00"),  # New York goes to summer time
    *("2026-11-01T05:30:00", "2026-11-01T06:30:00"),  # and back
    "2026-12-31T10:30:00",  # a new year begins, first at the date line
]
ZONES = ["EST5EDT,M3.2.0,M11.1.0", "<+14>-14"]
"""As POSIX writes them, which need no files: New York's, and that of the first island to have a new day."""


class Heard(Player):
    """Remembers the replies."""

    def __init__(self) -> None:
        super().__init__()
        self.replies: list[Any] = []

    def send(self, *request: Any, **query: Any) -> tuple[int, Any]:
        status, reply = super().send(*request, **query)
        self.replies.append((status, reply))
        return status, reply


def lived(hour: str, zone: str) -> tuple[int, list[Any], list[Any]]:
    """The local hour, and what functions answer and store, in a zone."""
    at = [datetime.fromisoformat(hour).replace(tzinfo=UTC).timestamp()]
    moving = SimpleNamespace(time=lambda: at[0], monotonic=time.monotonic)
    with patch.dict(os.environ, TZ=zone), patch.object(clock, "time", moving), in_memory() as memory:
        time.tzset()
        player = Heard()
        with patch("tests.support.workflows.WORKFLOWS", count(1)):
            life = Life(player, connection().client)
        tasks = life.begin(2, max_attempts=3)
        good, late = life.queue(tasks)
        for attempt in (good, late):
            life.start(attempt)
        at[0] += 100
        life.sweep()
        told = life.ask(requests.poll(life.run, "R", [late]))
        assert told["status_updates"] == {"T": [late]}
        life.end(good)
        life.ask(requests.log_triaged(late, "U", "late"))
        for attempt in (good, late):
            life.ask(requests.get_instance(attempt))
            life.ask(requests.get_errors(attempt))
        return time.localtime(at[0]).tm_hour, player.replies, list(memory.items.values())


@pytest.fixture
def _own_zone() -> Iterator[None]:
    yield
    time.tzset()


@pytest.mark.usefixtures("_own_zone")
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hour", HOURS)
def test_where_a_function_runs_makes_no_difference(hour: str, zone: str) -> None:
    here, *universal = lived(hour, "UTC0")
    there, *other = lived(hour, zone)
    assert here != there, "the zone is in force"
    assert other == universal


MOMENTS = st.floats(0, 4e9).flatmap(
    lambda now: st.floats(-MAX_INCREMENT_SECONDS, MAX_INCREMENT_SECONDS).map(lambda increment: now + increment)
)
"""All that a report can set at any time until 2096."""


@given(MOMENTS)
def test_every_moment_that_a_report_can_set_can_be_said(moment: float) -> None:
    said = datetime.fromisoformat(clock.iso(moment))
    assert said.tzinfo == UTC
    assert abs(said.timestamp() - moment) < 1e-5
    whole = datetime.strptime(clock.naive(moment), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert whole == said.replace(microsecond=0)


@given(MOMENTS, MOMENTS)
def test_every_moment_that_a_report_can_set_is_in_order(one: float, other: float) -> None:
    """One before 1970 counts as 1970: it is due."""
    early, late = sorted((one, other))
    assert due_key(LAUNCHED_PREFIX, early) <= due_key(LAUNCHED_PREFIX, late)
    assert len(due_key(LAUNCHED_PREFIX, late)) == len(due_key(LAUNCHED_PREFIX, 0))


def test_the_order_holds_until_the_year_5138() -> None:
    last = 99_999_999_999.999
    assert clock.iso(last).startswith("5138-11-16")
    assert due_key(LAUNCHED_PREFIX, last) > due_key(LAUNCHED_PREFIX, last - 0.002) > due_key(LAUNCHED_PREFIX, 5e9)
