"""What is wrong, in a line."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that is not as it must be."""

    check: str
    """Its name: docs/operations.md says of each what it means and what to do."""
    about: str
    """Which ids."""
    got: str
    """What is."""
    must: str
    """What must be."""

    def __str__(self) -> str:
        """One line."""
        return f"{self.check}: {self.about}: is {self.got}; must be {self.must}"
