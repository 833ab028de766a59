"""A clock that stands still until somebody moves it, or sleeps."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

START = 1_700_000_000.0


class VirtualTime:
    """As much of the module `time` as Lockstep and botocore ask for."""

    def __init__(self, start: float = START) -> None:
        self.passed = 0.0
        self.start = start

    def time(self) -> float:
        """Seconds since 1970."""
        return self.start + self.passed

    def monotonic(self) -> float:
        """Seconds that have passed, of which only differences mean anything."""
        return self.passed

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        self.passed += seconds


@contextmanager
def running_on(clock: VirtualTime) -> Iterator[VirtualTime]:
    """Lockstep's functions, and botocore's retries, know no other time."""
    with patch("lockstep.clock.time", clock), patch("botocore.endpoint.time", clock):
        yield clock
