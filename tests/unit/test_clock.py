"""Time: in UTC wherever a function runs, however far a moment lies; and how long what belongs to a task is kept."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.template import ROOT
from lockstep import clock
from lockstep.array.item import LAUNCHED_PREFIX, due_key
from lockstep.http.fields import MAX_INCREMENT_SECONDS
from tests.support.serving import alone


@pytest.mark.parametrize(("days", "expires_at"), [(0.0, None), (30.0, 30 * 86_400 + 1), (0.5, 43_201)])
def test_nothing_goes_early(monkeypatch: pytest.MonkeyPatch, days: float, expires_at: int | None) -> None:
    monkeypatch.setattr(clock, "RETENTION_DAYS", days)
    assert clock.expiry(0.25) == expires_at


@pytest.mark.parametrize(("value", "days"), [(None, "0.0"), ("", "0.0"), ("0", "0.0"), ("30", "30.0")])
def test_no_period_is_for_ever(value: str | None, days: str) -> None:
    environment = {name: old for name, old in os.environ.items() if name != "RETENTION_DAYS"}
    environment |= {"PYTHONPATH": "shared"} | ({} if value is None else {"RETENTION_DAYS": value})
    said = subprocess.run(
        [sys.executable, "-c", "from lockstep import clock; print(clock.RETENTION_DAYS)"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert said.stdout.strip() == days


def zoned(*zones: str) -> list[list[dict[str, Any]]]:
    command = [sys.executable, "-m", "tests.unit.zoned", *zones]
    environment = alone() | {"POWERTOOLS_LOG_LEVEL": "CRITICAL"}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=True)
    told: list[list[dict[str, Any]]] = json.loads(ended.stdout)
    return told


def test_where_a_function_runs_makes_no_difference() -> None:
    """Zones as POSIX writes them, which need no files: New York's, and that of the first island to have a new day."""
    universal, *others = zoned("UTC0", "EST5EDT,M3.2.0,M11.1.0", "<+14>-14")
    assert universal[0]["replies"][3:6] == [
        [200, {}],
        [200, {"status_updates": {"T": [2001]}, "time": "2026-03-08 07:01:00"}],
        [200, {"message": ""}],
    ]
    for other in others:
        for here, there in zip(universal, other, strict=True):
            assert here["local"] != there["local"], "the zone is in force"
            assert (here["replies"], here["items"]) == (there["replies"], there["items"])


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
