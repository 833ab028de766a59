"""next_report_increment: whatever number of seconds it is, what is stored, told and done about it follows from it."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Final

import pytest

from lockstep import clock
from sim import requests
from sim.requests import Request
from tests.conformance.recording import Player
from tests.support.linking import ask, linked_run
from tests.support.seeding import batch, run_of

pytestmark = pytest.mark.usefixtures("table_in_memory")

NOW: Final = 1_767_225_600.25
INCREMENTS: Final = [1e9, 1e5, 279.0, 12.345678, 0.5, 1e-6, 1e-9, 0.0, -0.0, -1e-9, -1e-6, -0.5, -90, -1e9]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its one element is the time, in seconds since 1970."""
    at = [NOW]
    monkeypatch.setattr(clock, "time", SimpleNamespace(time=lambda: at[0], monotonic=time.monotonic))
    return at


REPORTS: Final[list[tuple[Callable[[int, float], Request], str, str]]] = [
    (requests.log_report_by, "R", "T"),
    (lambda instance, seconds: requests.log_running(instance, "n", 1, seconds), "O", "T"),
    (lambda instance, seconds: requests.log_distributor_id(instance, "7", seconds), "I", "X"),
    (lambda instance, seconds: requests.beat_launched([instance], seconds), "O", "X"),
    (lambda instance, seconds: requests.launch(run_of(instance), 1, seconds), "I", "X"),
]
"""A report, an instance's status before, and where the sweep moves it when it has fallen silent."""


@pytest.mark.parametrize("increment", INCREMENTS)
@pytest.mark.parametrize(("report", "before", "silent"), REPORTS)
def test_an_instance_is_overdue_when_it_said_so(
    player: Player, at: list[float], report: Callable[..., Request], before: str, silent: str, increment: float
) -> None:
    [instance] = batch({"status": before})
    at[0] += 1
    ask(player, report(instance, increment))
    stands = player.whole(instance)["task_instance"]
    assert stands["report_by_date"] == clock.iso(at[0] + increment)
    launched = "O" if silent == "X" else "R"
    assert stands["status"] == launched
    for later in (1.0, 1_000.0):  # a cluster may let an instance wait twice 279 s, however silent
        at[0] = NOW + 1 + later
        ask(player, requests.sweep(run_of(instance)))
        moved = increment < later and (silent == "T" or later > clock.HEARTBEAT_BUFFER_SECONDS * 2)
        updates = ask(player, requests.poll(run_of(instance), launched, [instance]))["status_updates"]
        assert updates == ({silent: [instance]} if moved else {}), later
        if moved:
            return


@pytest.mark.parametrize("increment", INCREMENTS)
def test_a_run_takes_any_increment(player: Player, increment: float) -> None:
    run = linked_run(player, next_report_increment=increment)
    ask(player, requests.beat_run(run, increment))


@pytest.mark.parametrize("increment", [1e9 + 1, -1e9 - 1, 1e300, 10**400])
@pytest.mark.parametrize(("report", "before", "_"), REPORTS)
def test_an_increment_past_32_years_is_refused(
    player: Player, report: Callable[..., Request], before: str, _: str, increment: float
) -> None:
    [instance] = batch({"status": before})
    stands = player.whole(instance)
    with pytest.raises(AssertionError, match="'field': 'next_report_increment'"):
        ask(player, report(instance, increment))
    assert player.whole(instance) == stands
