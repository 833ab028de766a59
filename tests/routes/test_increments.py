"""next_report_increment: whatever number of seconds it is, what is stored, told and done about it follows from it."""

import json
import time
from types import SimpleNamespace
from typing import Any, Final

import pytest

from lockstep import clock
from tests.conformance.recording import Player
from tests.support.linking import linked_run
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


def post(player: Player, path: str, body: Any) -> Any:
    status, reply = player.send("POST", f"/api/v3{path}", json.dumps(body))
    assert status == 200, reply
    return reply


def report(player: Player, route: str, instance: int, increment: float) -> None:
    said = {"next_report_increment": increment}
    array_id = run_of(instance)
    match route:
        case "log_report_by":
            post(player, f"/task_instance/{instance}/log_report_by", said)
        case "log_running":
            post(player, f"/task_instance/{instance}/log_running", said | {"process_group_id": 1})
        case "log_distributor_id":
            post(player, f"/task_instance/{instance}/log_distributor_id", said | {"distributor_id": "7"})
        case "log_report_by_batch":
            post(player, "/task_instance/log_report_by/batch", said | {"task_instance_ids": [instance]})
        case "transition_to_launched":
            post(player, f"/array/{array_id}/transition_to_launched", said | {"batch_number": 1})


REPORTS: Final = [
    ("log_report_by", "R", "T"),
    ("log_running", "O", "T"),
    ("log_distributor_id", "I", "X"),
    ("log_report_by_batch", "O", "X"),
    ("transition_to_launched", "I", "X"),
]
"""A route, an instance's status before, and where the sweep moves it when it has fallen silent."""


@pytest.mark.parametrize("increment", INCREMENTS)
@pytest.mark.parametrize(("route", "before", "silent"), REPORTS)
def test_an_instance_is_overdue_when_it_said_so(
    player: Player, at: list[float], route: str, before: str, silent: str, increment: float
) -> None:
    [instance] = batch({"status": before})
    at[0] += 1
    report(player, route, instance, increment)
    stands = player.whole(instance)["task_instance"]
    assert stands["report_by_date"] == clock.iso(at[0] + increment)
    launched = "O" if silent == "X" else "R"
    assert stands["status"] == launched
    for later in (1.0, 1_000.0):  # a cluster may let an instance wait twice 279 s, however silent
        at[0] = NOW + 1 + later
        post(player, f"/workflow_run/{run_of(instance)}/set_status_for_triaging", {})
        moved = increment < later and (silent == "T" or later > clock.HEARTBEAT_BUFFER_SECONDS * 2)
        polled = {"task_instance_ids": [instance], "status": launched}
        updates = post(player, f"/workflow_run/{run_of(instance)}/sync_status", polled)["status_updates"]
        assert updates == ({silent: [instance]} if moved else {}), later
        if moved:
            return


@pytest.mark.parametrize("increment", INCREMENTS)
def test_a_run_takes_any_increment(player: Player, increment: float) -> None:
    run = linked_run(player, next_report_increment=increment)
    heartbeat = {"status": "R", "next_report_increment": increment}
    post(player, f"/workflow_run/{run}/log_heartbeat", heartbeat)


@pytest.mark.parametrize("increment", [1e9 + 1, -1e9 - 1, 1e300, 10**400])
@pytest.mark.parametrize(("route", "before", "_"), REPORTS)
def test_an_increment_past_32_years_is_refused(
    player: Player, route: str, before: str, _: str, increment: float
) -> None:
    [instance] = batch({"status": before})
    stands = player.whole(instance)
    with pytest.raises(AssertionError, match="next_report_increment"):
        report(player, route, instance, increment)
    assert player.whole(instance) == stands
