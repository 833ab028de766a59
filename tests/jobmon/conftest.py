"""A system whose clients report every second, and a middleman before it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.jobmon.middleman import Middleman
from tests.jobmon.programs import kill_all
from tests.jobmon.workflow import Workflow
from tests.support.clusters import load_clusters, without_clusters
from tests.support.serving import serving

CLUSTERS = Path(__file__).with_name("clusters.yaml")

REPORT_BY_BUFFER = 8
"""Intervals, of 1 s here, that a report is good for: more than the 3.1 of Jobmon's configuration, because on a
machine with more worker nodes than processors one of them may wait for as long as that."""


@pytest.fixture(scope="session")
def url(table: str) -> Iterator[str]:
    """Where the API is served."""
    with serving(AWS_ENDPOINT_URL_DYNAMODB=table, HEARTBEAT_BUFFER_SECONDS=str(REPORT_BY_BUFFER)) as url:
        yield url


@pytest.fixture
def middleman(url: str) -> Iterator[Middleman]:
    """Where programs are pointed at. They end before it does."""
    limits = httpx.Limits(max_connections=64)
    with httpx.Client(base_url=url, timeout=30, trust_env=False, limits=limits) as client, Middleman(client) as server:
        yield server
        kill_all()


@pytest.fixture
def api(url: str) -> Iterator[httpx.Client]:
    """The API itself: what a test asks of it is not among a middleman's requests."""
    with httpx.Client(base_url=f"{url}/api/v3", timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
def forks(table: str) -> Iterator[str]:
    """The name of a cluster whose worker nodes run side by side, and are ready at once."""
    assert table
    load_clusters(CLUSTERS)
    yield "forks"
    without_clusters()


@pytest.fixture
def workflow(middleman: Middleman, tmp_path: Path) -> Iterator[Workflow]:
    with httpx.Client(base_url=f"{middleman.url}/api/v3", timeout=30, trust_env=False) as client:
        yield Workflow(client, tmp_path)
