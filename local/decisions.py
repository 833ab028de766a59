"""Make docs/decisions/README.md: the list of all decisions, from their own files."""

import re
from typing import Final, NamedTuple

from local.template import ROOT

LIST: Final = ROOT / "docs/decisions/README.md"
_BEGINS: Final = re.compile(r"# (?P<number>\d+)\. (?P<title>.+)\n\n> (?P<line>.+)\n\n")
_INTRODUCTION: Final = """\
# Decisions

`make docs` makes this list from the title of each decision and the line below it.
[CONTRIBUTING.md](../../CONTRIBUTING.md#decisions) says what becomes a decision.

| number | decision | in one line |
|--:|---|---|
"""


class _Decision(NamedTuple):
    """A decision as its file begins."""

    file: str
    title: str
    line: str


def document() -> str:
    """Make the list. A number without a file is listed as not used."""
    decisions = _decisions()
    return _INTRODUCTION + "".join(_row(number, decisions) for number in range(1, max(decisions) + 1))


def _row(number: int, decisions: dict[int, _Decision]) -> str:
    if number not in decisions:
        return f"| {number} | not used | |\n"
    file, title, line = decisions[number]
    return f"| {number} | [{title}]({file}) | {line} |\n"


def _decisions() -> dict[int, _Decision]:
    """Return the decisions by number.

    Raises:
        ValueError: a file does not begin as a decision does, or two files have one number.
    """
    decisions: dict[int, _Decision] = {}
    for path in sorted(LIST.parent.glob("[0-9]*.md")):
        begins = _BEGINS.match(path.read_text(encoding="utf-8"))
        if begins is None or not path.name.startswith(f"{int(begins['number']):04d}-"):
            raise ValueError(f"{path.name}: begin it with `# <number>. <title>` and a line `> <the decision>`")
        number = int(begins["number"])
        if number in decisions:
            raise ValueError(f"{path.name} and {decisions[number].file} have the same number")
        decisions[number] = _Decision(path.name, begins["title"], begins["line"])
    return decisions
