"""Show which plugin a cluster needs."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lockstep.cluster import known
from lockstep.cluster.item import Clusters
from lockstep.dynamodb.reads import fetch
from tests.conformance.recording import Player
from tests.support.clusters import load_clusters, without_clusters


class Reads:
    """The time by the clock of what is known, and how often the table was read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at, self.count = 0.0, 0

        def counted(*asked: Any, **how: Any) -> Any:
            self.count += 1
            return fetch(*asked, **how)

        monkeypatch.setattr(known, "fetch", counted)
        monkeypatch.setattr("lockstep.cluster.known.time.monotonic", lambda: self.at)


@pytest.fixture
def reads(table: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reads]:
    """Nothing is loaded, and nothing is cached."""
    assert table
    without_clusters()
    yield Reads(monkeypatch)
    without_clusters()


def cluster(player: Player, name: str) -> Any:
    status, reply = player.send("GET", f"/api/v3/cluster/{name}")
    assert status == 200
    return reply["cluster"]


PARAMETERS = '{"slurm_rest_host": "https://slurm.example.org", "retry_times": [5, 10, 30]}'
SLURM = [4, "slurm", "slurm", PARAMETERS]


def test_a_cluster_that_was_loaded(player: Player, reads: Reads) -> None:
    load_clusters()
    assert cluster(player, "slurm") == SLURM
    assert json.loads(PARAMETERS)["retry_times"] == [5, 10, 30]
    assert cluster(player, "SLURM") is None
    assert cluster(player, "two-at-once") == [5, "two-at-once", "multiprocess", '{"parallelism": 2}']
    assert reads.count == 1


@pytest.mark.parametrize("name", ["dummy", "sequential", "multiprocess"])
def test_built_in_clusters_take_no_read(player: Player, reads: Reads, name: str) -> None:
    assert cluster(player, name)[1:] == [name, name, None]
    assert reads.count == 0


def test_a_cluster_is_read_once_in_five_minutes(player: Player, reads: Reads) -> None:
    load_clusters()
    for at in (0.0, 1.0, 299.9):
        reads.at = at
        assert cluster(player, "slurm") == SLURM
    assert reads.count == 1
    reads.at = 300.0
    assert cluster(player, "slurm") == SLURM
    assert reads.count == 2


def test_unknown_names_take_one_read_a_second(player: Player, reads: Reads) -> None:
    for number in range(50):
        reads.at = number * 0.1
        assert cluster(player, f"nobody-{number}") is None
    assert reads.count == 5


def test_a_new_cluster_is_found_within_a_second(player: Player, reads: Reads) -> None:
    assert cluster(player, "slurm") is None
    of_this_process = known._LOADED  # noqa: SLF001  # another process loads
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known, "_LOADED", type(of_this_process)())
        load_clusters()
    reads.at = 0.9
    assert cluster(player, "slurm") is None
    reads.at = 1.0
    assert cluster(player, "slurm") == SLURM


def test_a_change_is_seen_within_five_minutes(player: Player, reads: Reads) -> None:
    load_clusters()
    assert cluster(player, "slurm") == SLURM
    item = Clusters.get(*Clusters.key())
    item.clusters[0][0][2] = "slurm_rest"
    item.save()
    reads.at = 299.9
    assert cluster(player, "slurm") == SLURM
    reads.at = 300.0
    assert cluster(player, "slurm")[2] == "slurm_rest"
