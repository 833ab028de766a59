"""Tables in Markdown, and the documents that hold them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from typing import Final

Tables = Mapping[str, Callable[[], Iterable[str]]]
"""What makes the lines of each part of a document, by the part's name."""

_MADE: Final = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    r"""Yield the lines of a table. A column whose name ends in > holds numbers.

    >>> print(*table(["what", "how many >"], [["apples", 3]]), sep="\n")
    | what | how many |
    |---|--:|
    | apples | 3 |
    """
    yield _line(column.removesuffix(">").strip() for column in columns)
    yield f"|{'|'.join('--:' if column.endswith('>') else '---' for column in columns)}|"
    yield from map(_line, rows)


def with_columns(*columns: str) -> Callable[[Callable[[], Iterable[Iterable[object]]]], Callable[[], Iterator[str]]]:
    """Let a function that yields rows yield the lines of their table instead."""

    def of_rows(rows: Callable[[], Iterable[Iterable[object]]]) -> Callable[[], Iterator[str]]:
        return wraps(rows)(lambda: table(columns, rows()))

    return of_rows


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def filled(text: str, tables: Tables, *, others_stay: bool = False) -> str:
    """Replace the text between each `<!-- made: name -->` and the next `<!-- end -->` by the part of that name.

    others_stay: so does the text of a name that no part has.
    """

    def made(found: re.Match[str]) -> str:
        beginning, name, end = found.groups()
        stays = others_stay and name not in tables
        return found[0] if stays else beginning + "\n".join(tables[name]()) + "\n" + end

    return _MADE.sub(made, text)
