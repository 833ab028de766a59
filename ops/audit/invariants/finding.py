"""One broken invariant, in a line."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from lockstep.dynamodb.item import Item, Key

MOST_NAMED: Final = 10
"""Numbers that one finding names."""


class Finding(NamedTuple):
    """One broken invariant."""

    check: str
    """The invariant's name: docs/operations.md says what each means and what to do."""
    about: str
    """The item or items, by their ids."""
    got: str
    """What is stored."""
    must: str
    """What must be stored."""

    def __str__(self) -> str:
        """One line."""
        return f"{self.check}: {self.about}: is {self.got}; must be {self.must}"


def in_words(item: Item | Key) -> str:
    """An item's key, for a finding.

    >>> in_words(Key("TASK#42", "TI#003"))
    'TASK#42 / TI#003'
    """
    return f"{item.pk} / {item.sk}"


def first_of(numbers: Iterable[int]) -> str:
    """The first numbers of many, for a finding.

    >>> first_of(range(12))
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more'
    """
    named = list(numbers)
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return ", ".join(map(str, named[:MOST_NAMED])) + more
