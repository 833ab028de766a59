"""What the fuzzers share."""

from collections.abc import Iterator

import pytest

from tests.verification.fuzz.system import System, fuzzed


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """One that nobody else's ids are in."""
    with fuzzed() as system:
        yield system
