"""What the walk has met."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What was walked, over all examples."""

    examples: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    moving: Counter[str] = field(default_factory=Counter)
    """Requests that moved a workflow, a run, a task or an instance."""
    compared: int = 0
    """Items that were compared, over all steps."""
    situations: set[tuple[str, ...]] = field(default_factory=set)
    """Of an instance: report, error state, its status, its task's, whether attempts were left, whether it was overdue.
    Of a workflow that a run holds: request, status asked for, the run's, the workflow's, whether its tasks were bound,
    whether the run's client was late.
    """
    edges: Counter[tuple[str, str]] = field(default_factory=Counter)
    attempts: Counter[int] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    """Runs by the status in which an example left them."""
    followed: int = 0
    """Polls after which a client knew of every change."""
    later: int = 0
    """Overdue instances that a sweep left to a later one, though all clocks agreed."""

    def add(self, more: "Tally") -> None:
        for name, value in vars(more).items():
            if isinstance(value, set):
                self.situations |= value
            else:
                setattr(self, name, getattr(self, name) + value)
