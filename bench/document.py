"""Write the benchmark's sections to a terminal and to docs/performance.md."""

import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from bench.row import MARIADB, SQLITE, TWO_WORKERS, Row, Section
from local.tables import Tables, filled, table
from local.template import ROOT

DOCUMENT: Final = ROOT / "docs/performance.md"
PEERS: Final = (TWO_WORKERS, SQLITE, MARIADB)
_MET: Final = {True: "yes", False: "**no**", None: ""}


def show(section: Section) -> None:
    """Print a section."""
    print(*_text(section), sep="\n", flush=True)


def _text(section: Section) -> list[str]:
    return [f"## {section.title}", "", section.text.strip(), "", *_table(section), ""]


def _table(section: Section) -> Iterator[str]:
    """Yield a section's rows as a Markdown table, with the peers' columns if a row has any."""
    peers = PEERS if any(row.peers for row in section.rows) else ()
    head = ("", "Lockstep" if peers else "result", "target", "met", *peers)
    return table(head, (_cells(row, peers) for row in section.rows))


def _cells(row: Row, peers: Iterable[str]) -> tuple[str, ...]:
    return (row.what, row.result, row.target, _MET[row.met], *(row.peers.get(peer, "") for peer in peers))


def made(sections: Sequence[Section]) -> str:
    """Return the document with these sections instead of those of an earlier run."""
    return _with({"machine": lambda: [machine()], "sections": lambda: _all(sections)})


def made_of_growth(section: Section) -> str:
    """Return the document with another measurement of how a workflow grows, which stands in a part of its own."""
    return _with({"growth": lambda: _text(section)})


def _with(parts: Tables) -> str:
    return filled(DOCUMENT.read_text(encoding="utf-8"), parts, others_stay=True)


def _all(sections: Iterable[Section]) -> Iterator[str]:
    for section in sections:
        yield from _text(section)


def machine() -> str:
    """Describe the machine of the measurement in a sentence."""
    python = f"Python {platform.python_version()}"
    return f"The numbers are of {python} on {platform.machine()} with {os.cpu_count()} processors."
