"""Read the tables of a document."""

import re
from collections.abc import Iterator


def section(document: str, heading: str) -> str:
    """Return the text under a heading, up to the next heading of its rank or above."""
    rank = heading.partition(" ")[0]
    found = re.search(rf"^{re.escape(heading)}$(.*?)(?=^#{{2,{len(rank)}}} |\Z)", document, re.DOTALL | re.MULTILINE)
    assert found, heading
    return found[1]


def rows(text: str) -> Iterator[list[str]]:
    """Yield the rows of all tables in a text, without their heads."""
    for table in re.findall(r"(?:^ *\|.*\|\n)+", text, re.MULTILINE):
        for row in table.strip().splitlines()[2:]:
            yield [cell.strip() for cell in row.strip().strip("|").split(" | ")]


def named(cell: str) -> list[str]:
    """Return the words in backticks."""
    return re.findall(r"`([^`]+)`", cell)
