"""Numbers by id, small in memory."""

from array import array
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

_PAGE: Final = 128


class IdMap:
    """A number for each id, 8 bytes where ids are dense; 0 is none.

    >>> ids = IdMap()
    >>> ids[7] = 3
    >>> ids[7], ids[8], list(ids)
    (3, 0, [(7, 3)])
    """

    def __init__(self) -> None:
        self._pages: dict[int, array[int]] = defaultdict(lambda: array("Q", bytes(8 * _PAGE)))

    def __setitem__(self, number: int, value: int) -> None:
        self._pages[number // _PAGE][number % _PAGE] = value

    def __getitem__(self, number: int) -> int:
        return self._pages[number // _PAGE][number % _PAGE] if number // _PAGE in self._pages else 0

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for page, values in self._pages.items():
            yield from ((page * _PAGE + offset, value) for offset, value in enumerate(values) if value)


def fingerprint(*parts: int | str) -> int:
    """A number of 8 bytes for these parts, the same as long as the process runs. Never 0.

    >>> fingerprint(1, "a") == fingerprint(1, "a") != 0
    True
    """
    return hash(parts) % 2**64 or 1
