"""Measure the layer as it is deployed."""

import tempfile
from pathlib import Path
from typing import Final

from bench.row import Row, Section
from local.layer import NEVER, TRACER, build_for_host, build_for_lambda, compiled_for, imported_by
from local.template import Template
from precompile import VERSION, interpreters, is_version

SIZE_TARGET: Final = 40
"""The largest layer in MB."""
_MEGABYTE: Final = 1_000_000


def artifact() -> Section:
    """Measure the layer's size, check that Lambda's Python accepts its bytecode, and list the imported modules."""
    with tempfile.TemporaryDirectory() as folder:
        layer = build_for_lambda(Path(folder, "lambda"))
        size = sum(path.stat().st_size for path in layer.rglob("*") if path.is_file()) / _MEGABYTE
        rows = [Row("layer, unzipped", f"{size:.1f} MB", f"≤ {SIZE_TARGET} MB", size <= SIZE_TARGET), _compiled(layer)]
        rows += _imported(build_for_host(Path(folder, "host")))
    text = "Built by the recipe that `sam build` calls, for python3.13 on arm64."
    return Section("Artifact", text, rows)


def _imported(layer: Path) -> list[Row]:
    functions = Template().functions
    modules = {module for function in functions for module in imported_by(function, layer)}
    found = [name for name in NEVER if any(module.startswith(name) for module in modules)]
    tracer = "by Powertools' own __init__; without the X-Ray SDK" if TRACER in modules else "by none"
    return [
        Row(
            f"of {', '.join(NEVER)}: imported by {len(functions)} functions",
            ", ".join(found) or "none",
            "none",
            not found,
        ),
        Row(f"{TRACER}: imported", tracer, "by none", TRACER not in modules),
    ]


def _compiled(layer: Path) -> Row:
    what, modules = f"modules whose bytecode Python {VERSION} accepts", set(layer.rglob("*.py"))
    target = next(filter(is_version, interpreters()), None)
    if not target:
        return Row(what, f"not measured: no Python {VERSION} was found", f"all {len(modules)}", met=False)
    accepted = modules & compiled_for(layer, target).keys()
    return Row(what, f"{len(accepted)} of {len(modules)}", "all", accepted == modules)
