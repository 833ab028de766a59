"""32 clients send conflicting reports for one instance: one wins, and task, instance and entries agree with it."""

import os
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.seeding import pair
from tests.support.together import Sent, all_at_once

CLIENTS = 32
ROUNDS = int(os.environ.get("ROUNDS", "12"))

Report = tuple[str, dict[str, Any]]


def done(client: int) -> Report:
    return "log_done", {"nodename": f"node-{client}"}


def error(client: int) -> Report:
    return "log_error_worker_node", {"error_state": "E", "error_description": f"worker {client}"}


def known_error(client: int) -> Report:
    return "log_known_error", {"error_state": "Z", "error_message": f"triage {client}"}


def heartbeat(_: int) -> Report:
    return "log_report_by", {"next_report_increment": 90}


REPORTS: list[Callable[[int], Report]] = [done, error, known_error, heartbeat]


def whole(api: httpx.Client, task_instance_id: int) -> Any:
    return api.get(f"/task_instance/{task_instance_id}").raise_for_status().json()


def entries(api: httpx.Client, task_instance_id: int) -> list[str]:
    log = api.get(f"/task_instance/{task_instance_id}/task_instance_error_log").raise_for_status().json()
    return sorted(description for _, _, description in log["task_instance_error_log"])


@pytest.mark.parametrize("start", ["R", "T"])
def test_one_winner(api: httpx.Client, start: str) -> None:
    for _ in range(ROUNDS):
        instance = pair(start, "R")
        reports = [REPORTS[client % len(REPORTS)](client) for client in range(CLIENTS)]
        replies = all_at_once(api, [Sent(f"/task_instance/{instance}/{route}", body) for route, body in reports])
        stands = whole(api, instance)
        pairs = {"D": "D", "E": "G", "Z": "A"}
        status = stands["task_instance"]["status"]
        assert stands["task"]["status"] == pairs[status]
        moved = [
            body
            for (route, body), reply in zip(reports, replies, strict=True)
            if route == "log_known_error" and reply["message"] == ""
        ]
        assert len(moved) == (status == "Z")
        told = {
            reply["status"]
            for (route, _), reply in zip(reports, replies, strict=True)
            if route in {"log_done", "log_error_worker_node"}
        }
        assert told == {status}
        from_workers = [body["error_description"] for route, body in reports if route == "log_error_worker_node"]
        assert entries(api, instance) == sorted(from_workers + [body["error_message"] for body in moved])


def claim(api: httpx.Client, instance: int) -> str:
    """32 worker nodes claim one instance at once. The node that was told to run it; the others were told to stop."""
    claims = [
        Sent(
            f"/task_instance/{instance}/log_running",
            {"nodename": f"node-{client}", "process_group_id": client, "next_report_increment": 90},
        )
        for client in range(CLIENTS)
    ]
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
        after = whole(api, task_instance_id)
        assert after["task_instance"]["nodename"] == winner
        assert (after["task_instance"]["status"], after["task"]["status"]) == ("R", "R")
