"""docs/scale.md: its own words with the tables of today."""

from typing import Final

from bench.scale.tables import TABLES
from local.prices import filled
from local.template import ROOT

DOCUMENT: Final = ROOT / "docs/scale.md"
PICTURE: Final = ROOT / "docs/scale.svg"


def made() -> str:
    """The document as it must be."""
    return filled(DOCUMENT.read_text(), TABLES)
