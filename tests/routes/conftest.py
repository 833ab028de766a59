"""Where contracts are checked."""

from collections.abc import Iterator

import httpx
import pytest

from local.events import SEED
from local.meter import Meter
from local.seed import Seed, load
from tests.conformance.recording import Player
from tests.support.clusters import load_clusters, without_clusters
from tests.support.contract import System
from tests.support.guarded import Guarded
from tests.support.memory.boundary import calls_in_memory


@pytest.fixture(scope="session")
def system(api: httpx.Client, guarded: Guarded) -> System:
    meter = Meter()
    meter.attach()
    load(Seed.model_validate_json(SEED.read_bytes()))
    return System(api, guarded, meter)


@pytest.fixture
def table_in_memory() -> Iterator[None]:
    """The functions of this process work on an empty table in its memory: for what asks nothing of engines or HTTP."""
    with calls_in_memory():
        yield


@pytest.fixture
def engine_player(table: str) -> Player:
    """Calls the functions on this process's table, also where a file's other tests call them on one in memory."""
    assert table
    return Player()


@pytest.fixture
def loaded(table: str) -> Iterator[None]:
    """The example's clusters."""
    assert table
    without_clusters()
    load_clusters()
    yield
    without_clusters()
