"""32 worker nodes claim one instance at once, over HTTP: one of them runs it."""

import os
from typing import Any

import httpx
import pytest

from sim import requests
from tests.support.seeding import pair
from tests.support.together import all_at_once

CLIENTS = 32
ROUNDS = int(os.environ.get("ROUNDS", "12"))


def claim(api: httpx.Client, instance: int) -> str:
    """32 worker nodes claim one instance at once. The node that was told to run it; the others were told to stop."""
    claims = [requests.log_running(instance, f"node-{client}", client, 90) for client in range(CLIENTS)]
    told = [reply["task_instance"][1] for reply in all_at_once(api, claims)]
    assert sorted(told) == ["K"] * (CLIENTS - 1) + ["R"]
    return f"node-{told.index('R')}"


@pytest.mark.parametrize(
    ("stands", "instance"),
    [("OO", {}), ("II", {}), *((letters, {"report_by_in": -1, "nodename": "silent"}) for letters in ("RR", "TR"))],
    ids=["launched", "instantiated", "running in silence", "triaging"],
)
def test_one_of_many_workers_runs_it(api: httpx.Client, stands: str, instance: dict[str, Any]) -> None:
    for _ in range(ROUNDS // 2):
        task_instance_id = pair(stands[0], stands[1], **instance)
        winner = claim(api, task_instance_id)
        after = api.get(f"/task_instance/{task_instance_id}").raise_for_status().json()
        assert after["task_instance"]["nodename"] == winner
        assert (after["task_instance"]["status"], after["task"]["status"]) == ("R", "R")
