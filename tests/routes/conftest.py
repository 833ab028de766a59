"""Where contracts are checked."""

from collections.abc import Iterator

import httpx
import pytest

from local.events import SEED
from local.meter import Meter
from local.seed import Seed, load
from tests.support.clusters import load_clusters, without_clusters
from tests.support.contract import System
from tests.support.guarded import Guarded


@pytest.fixture(scope="session")
def system(api: httpx.Client, guarded: Guarded) -> System:
    meter = Meter()
    meter.attach()
    load(Seed.model_validate_json(SEED.read_bytes()))
    return System(api, guarded, meter)


@pytest.fixture
def loaded(table: str) -> Iterator[None]:
    """The example's clusters."""
    assert table
    without_clusters()
    load_clusters()
    yield
    without_clusters()
