"""What a soak counts."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

MOST_VIOLATIONS: Final = 100
"""That are kept word for word."""


@dataclass(slots=True)
class Tally:
    """Everything that happened so far."""

    counts: Counter[str] = field(default_factory=Counter)
    replies: Counter[str] = field(default_factory=Counter)
    """Requests by how they were answered."""
    violations: list[str] = field(default_factory=list)
    calm: bool = False
    """Nobody kills anything any more: every request must be answered 200."""

    def count(self, what: str, times: int = 1) -> None:
        """It happened."""
        self.counts[what] += times

    def must_not_be(self, what: str) -> None:
        """It happened all the same."""
        self.counts["violations"] += 1
        if len(self.violations) < MOST_VIOLATIONS:
            self.violations.append(what)
