"""`make docs`: write the tables of docs/sizes.md from the contracts of the routes, and from what their calls hold."""

from collections.abc import Iterator
from typing import Final

from local.prices import filled
from local.template import ROOT
from lockstep.routes import ROUTES
from tests.support.contract import contract_of
from tests.support.memory_use import of_memory

SIZES: Final = ROOT / "docs/sizes.md"


def of_routes() -> Iterator[str]:
    """Yield what each route reads at most, and what carries its largest reply."""
    yield "| route | reads at most | carried |"
    yield "|---|---|--:|"
    for contract in (contract_of(route.name) for route in ROUTES):
        yield f"| `{contract.name}` | {contract.reads} | {contract.carried:,} |"


def document() -> str:
    """Make docs/sizes.md: its own text with the tables."""
    return filled(SIZES.read_text(encoding="utf-8"), {"routes": of_routes, "memory": of_memory})


def main() -> None:
    """Write the document."""
    SIZES.write_text(document(), encoding="utf-8")
