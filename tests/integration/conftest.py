"""What the integration tests share: the functions in this process, and what they take."""

import pytest

from local.meter import Meter
from tests.replay.recording import Player


@pytest.fixture(scope="session")
def player(table: str) -> Player:
    """Calls the functions themselves, on this process's table."""
    assert table
    return Player()


@pytest.fixture(scope="session")
def meter(table: str) -> Meter:
    """Counts what this process asks of the table."""
    assert table
    attached = Meter()
    attached.attach()
    return attached
