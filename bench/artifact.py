"""The layer as it is deployed."""

import tempfile
from pathlib import Path
from typing import Final

from bench.row import Row, Section
from local.layer import build_for_lambda, compiled_for
from precompile import VERSION, interpreters, is_version

SIZE_TARGET: Final = 40
"""MB."""
_MEGABYTE: Final = 1_000_000


def artifact() -> Section:
    """Its size, and whether Lambda's Python takes what is compiled in it."""
    with tempfile.TemporaryDirectory() as folder:
        layer = build_for_lambda(Path(folder))
        size = sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) / _MEGABYTE
        rows = [Row("layer, unzipped", f"{size:.1f} MB", f"≤ {SIZE_TARGET} MB", size <= SIZE_TARGET), _compiled(layer)]
    said = "Built by the recipe that `sam build` calls, for python3.13 on arm64."
    return Section("Artifact", said, rows)


def _compiled(layer: Path) -> Row:
    what, modules = f"modules that Python {VERSION} need not compile", set(layer.rglob("*.py"))
    target = next(filter(is_version, interpreters()), None)
    if not target:
        return Row(what, f"not measured: there is no Python {VERSION}", f"all {len(modules)}", met=False)
    accepted = modules & compiled_for(layer, target).keys()
    return Row(what, f"{len(accepted)} of {len(modules)}", "all", accepted == modules)
