"""A line of the benchmark's table."""

from dataclasses import dataclass, field
from typing import Final

SQLITE: Final = "Jobmon, SQLite"
MARIADB: Final = "Jobmon, MariaDB"


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured, what it must be, what it is."""

    what: str
    result: str
    target: str = ""
    met: bool | None = None
    """None: there is no target."""
    peers: dict[str, str] = field(default_factory=dict)
    """The same of Jobmon's server, by SQLITE and MARIADB."""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that were measured in one go."""

    title: str
    said: str
    """How it was measured and what the numbers mean, in Markdown."""
    rows: list[Row]
