"""Where contracts are checked."""

import random
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
from tests.support.memory import running_on
from tests.support.memory.boundary import answered_by, calls_in_memory
from tests.support.memory.threads import threads_are
from tests.support.slow import SMALL, InTurn, Slow


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
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    """A table that takes its time, where hundreds are many."""
    for name, value in SMALL.items():
        monkeypatch.setattr(name, value)
    random.seed(1)
    made = Slow()
    with running_on(made.clock), threads_are(InTurn), answered_by(made.answer):
        yield made


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
