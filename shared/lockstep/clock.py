"""Time: the wall clock in UTC, a request's deadline, and waiting."""

import math
import os
import time
from datetime import UTC, datetime
from typing import Final

BUDGET_SECONDS: Final = 6.0
"""The time after which a request starts no call of DynamoDB. A reply takes CALL_SECONDS more at most: 14 s.
Clients wait 20 s.
"""
BULK_BUDGET_SECONDS: Final = 10.0
"""The budget of a request about many instances or tasks. Its reply takes at most 18 s."""
CALL_SECONDS: Final = 8.0
"""The time that one call of DynamoDB takes at most: see dynamodb.item.Item.Meta."""
HEARTBEAT_BUFFER_SECONDS: Final = float(os.environ.get("HEARTBEAT_BUFFER_SECONDS", "279"))
"""The usual time from one report to the deadline of the next: Jobmon's task_instance_interval x report_by_buffer,
90 x 3.1.
"""
RETENTION_DAYS: Final = float(os.environ.get("RETENTION_DAYS") or 0)
"""The days for which a task's items and a batch are kept after their last write; 0 keeps them for ever."""

_SECONDS_PER_DAY: Final = 86_400


def now() -> float:
    """Return the time in seconds since 1970 (UTC), rounded to a microsecond."""
    return round(time.time(), 6)


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def expiry(written_at: float) -> int | None:
    """Return when an item that is written at a moment may be deleted, in whole seconds since 1970; None if never."""
    return math.ceil(written_at + RETENTION_DAYS * _SECONDS_PER_DAY) if RETENTION_DAYS else None


def iso(seconds: float) -> str:
    """Format a time as ISO 8601 in UTC.

    >>> iso(0)
    '1970-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def iso_if_known(seconds: float | None) -> str | None:
    """Format a time as iso does; None for None.

    >>> iso_if_known(None) is None
    True
    """
    return None if seconds is None else iso(seconds)


def naive(seconds: float) -> str:
    """Format a time in whole seconds and UTC, in the form that Jobmon's clients parse.

    >>> naive(0)
    '1970-01-01 00:00:00'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


class Deadline:
    """A time limit that starts when it is created."""

    def __init__(self, seconds: float = BUDGET_SECONDS) -> None:
        self._seconds = seconds
        self._at = time.monotonic() + seconds

    def passed(self) -> bool:
        """Return whether the time is up."""
        return time.monotonic() >= self._at

    def spent(self, share: float) -> bool:
        """Return whether a share of the time is up, so that nothing long should begin."""
        return time.monotonic() >= self._at - (1 - share) * self._seconds
