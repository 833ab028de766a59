"""What the replays of recordings share: a table in this process's memory."""

from collections.abc import Iterator

import pytest

from tests.support.memory.boundary import Memory, calls_in_memory


@pytest.fixture(scope="module")
def memory() -> Iterator[Memory]:
    with calls_in_memory() as memory:
        yield memory
