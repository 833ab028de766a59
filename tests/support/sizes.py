"""`make docs`: write the tables of docs/sizes.md from the contracts of the routes, and from what their calls hold."""

from collections.abc import Iterator
from typing import Final

from local.tables import filled, table
from local.template import ROOT
from lockstep.routes import ROUTES
from tests.support.contract import contract_of
from tests.support.memory_use import of_memory

SIZES: Final = ROOT / "docs/sizes.md"


def of_routes() -> Iterator[str]:
    """Yield what each route reads at most, and what carries its largest reply."""
    contracts = (contract_of(route.name) for route in ROUTES)
    rows = ((f"`{each.name}`", each.reads, f"{each.carried:,}") for each in contracts)
    return table(("route", "reads at most", "carried >"), rows)


def document() -> str:
    """Make docs/sizes.md: its own text with the tables."""
    return filled(SIZES.read_text(encoding="utf-8"), {"routes": of_routes, "memory": of_memory})


def main() -> None:
    """Write the document."""
    SIZES.write_text(document(), encoding="utf-8")
