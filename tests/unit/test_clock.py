"""The period after which what belongs to a task goes."""

import os
import subprocess
import sys

import pytest

from local.template import ROOT
from lockstep import clock


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
        text=True,
        check=True,
    )
    assert said.stdout.strip() == days
