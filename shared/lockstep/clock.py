"""Time: the wall clock in UTC, how long a request may still try, and how it waits."""

import math
import os
import time
from datetime import UTC, datetime
from typing import Final

BUDGET_SECONDS: Final = 6.0
"""No call of DynamoDB begins after this; with one call's 8 s, an answer comes within 14 s, and clients wait 20 s."""
BULK_BUDGET_SECONDS: Final = 10.0
"""As above for a request about many instances or tasks, whose answer comes within 18 s."""
HEARTBEAT_BUFFER_SECONDS: Final = float(os.environ.get("HEARTBEAT_BUFFER_SECONDS", "279"))
"""How far ahead a report sets the next one, usually: Jobmon's task_instance_interval x report_by_buffer, 90 x 3.1."""
RETENTION_DAYS: Final = float(os.environ.get("RETENTION_DAYS") or 0)
"""How long what belongs to a task, or is a batch, is kept after it was last written; 0 is for ever."""

_SECONDS_PER_DAY: Final = 86_400


def now() -> float:
    """Seconds since 1970, UTC, to the microsecond."""
    return round(time.time(), 6)


def sleep(seconds: float) -> None:
    """Wait so long."""
    time.sleep(seconds)


def expiry(written_at: float) -> int | None:
    """From when on DynamoDB may delete what is written at a moment, in whole seconds since 1970; None: never."""
    return math.ceil(written_at + RETENTION_DAYS * _SECONDS_PER_DAY) if RETENTION_DAYS else None


def iso(seconds: float) -> str:
    """ISO 8601 in UTC.

    >>> iso(0)
    '1970-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def naive(seconds: float) -> str:
    """Whole seconds in UTC, in the form that Jobmon's clients read.

    >>> naive(0)
    '1970-01-01 00:00:00'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


class Deadline:
    """A moment after which no call of DynamoDB begins."""

    def __init__(self, seconds: float = BUDGET_SECONDS) -> None:
        self._at = time.monotonic() + seconds

    def passed(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._at
