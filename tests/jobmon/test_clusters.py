"""Jobmon's programs, unmodified, on a cluster that `make clusters` loaded."""

import json
from collections.abc import Iterator
from typing import Final

import pytest

from tests.jobmon.middleman import Middleman
from tests.jobmon.programs import CURRENT, PEERS, Programs
from tests.jobmon.workflow import Workflow
from tests.support.clusters import load_clusters, without_clusters

ASKS: Final = """
import json
from jobmon.core.cluster import Cluster

cluster = Cluster.get_cluster("two-at-once")
queue = cluster.get_queue("small.q")
print(json.dumps({
    "cluster": cluster.id,
    "queue": [queue.queue_id, queue.queue_name],
    "connection": cluster.connection_parameters,
    "distributor": type(cluster.get_distributor()).__name__,
    "fits": [queue.validate_resources(strict=True, cores=cores)[0] for cores in (0, 1, 2, 3)],
}))
"""
"""What Jobmon's client asks of a cluster and a queue."""


@pytest.fixture(autouse=True)
def loaded(table: str) -> Iterator[None]:
    """The example's clusters."""
    assert table
    load_clusters()
    yield
    without_clusters()


@pytest.mark.parametrize("jobmon", PEERS)
def test_a_client_reads_the_cluster_and_the_limits_of_its_queue(jobmon: Programs, middleman: Middleman) -> None:
    asked = jobmon.start("python", "-c", ASKS, api=middleman.url)

    assert asked.wait() == 0, asked.printed()
    assert json.loads(asked.printed().splitlines()[-1]) == {
        "cluster": 5,
        "queue": [6, "small.q"],
        "connection": {"parallelism": 2},
        "distributor": "MultiprocessDistributor",
        "fits": [False, True, True, False],
    }
    assert middleman.not_ok == []


def test_a_distributor_works_through_an_array(workflow: Workflow, middleman: Middleman) -> None:
    names = ["a", "b", "c", "d"]
    task_ids = workflow.bind(*(workflow.work(name) for name in names))
    workflow.queue()

    distributor = CURRENT.distributor(workflow.run_id, "two-at-once", api=middleman.url)

    assert workflow.run_until("D", "F", seconds=120) == {"D": 4}
    assert distributor.runs(), distributor.printed()
    assert [workflow.runs(name) for name in names] == [[task_id * 1000 + 1] for task_id in task_ids]
    assert middleman.not_ok == []
