"""Show a queue of a cluster, and its limits."""

import ast
from typing import Any

import pytest

from tests.conformance.recording import Player


def queue(player: Player, cluster_id: int, name: str) -> Any:
    status, reply = player.send("GET", f"/api/v3/cluster/{cluster_id}/queue/{name}")
    assert status == 200
    return reply["queue"]


@pytest.mark.usefixtures("loaded")
def test_a_queue_that_was_loaded(player: Player) -> None:
    number, name, parameters = queue(player, 4, "long.q")
    assert (number, name) == (5, "long.q")
    assert ast.literal_eval(parameters) == {"cores": (1, 56), "memory": (0.128, 250), "runtime": (10, 1382400)}


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(("cluster_id", "name"), [(5, "long.q"), (4, "LONG.Q"), (4, "null.q"), (7, "all.q")])
def test_a_queue_is_one_clusters_and_goes_by_its_exact_name(player: Player, cluster_id: int, name: str) -> None:
    assert queue(player, cluster_id, name) is None


@pytest.mark.parametrize(("cluster_id", "limits"), [(1, "{}"), (2, "{}"), (3, '{"cores": (1,20)}')])
def test_built_in_queues_are_jobmons(player: Player, cluster_id: int, limits: str) -> None:
    assert queue(player, cluster_id, "null.q") == [cluster_id, "null.q", limits]
