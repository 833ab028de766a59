"""The rows and sections of the benchmark's document."""

from dataclasses import dataclass, field
from typing import Final

TWO_WORKERS: Final = "Lockstep, WORKERS=2"
SQLITE: Final = "Jobmon, SQLite"
MARIADB: Final = "Jobmon, MariaDB"


@dataclass(frozen=True, slots=True)
class Row:
    """A measurement, its target, and whether the target is met."""

    what: str
    result: str
    target: str = ""
    met: bool | None = None
    """None if there is no target."""
    peers: dict[str, str] = field(default_factory=dict)
    """The same measurement of other systems, by TWO_WORKERS, SQLITE and MARIADB."""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one measurement."""

    title: str
    text: str
    """The method of measurement and the meaning of the numbers, in Markdown."""
    rows: list[Row]
