"""Count the events of a simulated cluster."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from sim.client import Reply

MOST_VIOLATIONS: Final = 100
"""How many are kept word for word."""


@dataclass(slots=True)
class Tally:
    """Everything that happened so far. Any thread may count."""

    counts: Counter[str] = field(default_factory=Counter)
    replies: Counter[str] = field(default_factory=Counter)
    """Requests by outcome."""
    violations: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, times: int = 1) -> None:
        """Count an event."""
        with self._lock:
            self.counts[what] += times

    def heard(self, reply: Reply) -> None:
        """Count a request."""
        with self._lock:
            self.counts["requests"] += 1
            self.replies[reply.outcome] += 1

    def must_not_be(self, what: str) -> None:
        """Note an event that must not happen."""
        with self._lock:
            self.counts["violations"] += 1
            if len(self.violations) < MOST_VIOLATIONS:
                self.violations.append(what)
