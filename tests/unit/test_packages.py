"""The packages of the layer: what documents say of them, and that no import contract lacks one of them."""

import re
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import grimp
import pytest

from local.template import ROOT
from tests.support.tables import named, rows, section

LAYER: Final = ROOT / "shared/lockstep"
ARCHITECTURE: Final = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRACTS: Final[list[dict[str, Any]]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]


def is_package(folder: Path) -> bool:
    return folder.is_dir() and any(folder.rglob("*.py"))


PACKAGES: Final = {folder.name for folder in LAYER.iterdir() if is_package(folder)}
MODULES: Final = {file.stem for file in LAYER.glob("*.py")} - {"__init__"}


def first_cells(heading: str) -> list[str]:
    return [name for row in rows(section(ARCHITECTURE, heading)) for name in named(row[0])]


def test_each_package_has_a_row() -> None:
    told = first_cells("## The packages of the layer")
    assert sorted(told) == sorted([f"{name}/" for name in PACKAGES] + [f"{name}.py" for name in MODULES])


def test_each_package_is_in_the_picture() -> None:
    [picture] = re.findall(r"```mermaid\n(.*?)```", section(ARCHITECTURE, "## Who imports whom"), re.DOTALL)
    assert (PACKAGES | MODULES) - set(re.findall(r"\w+", picture)) == set()


def test_the_readme_shows_each_package() -> None:
    [layout] = re.findall(r"```\n(template\.yaml .*?)```", README, re.DOTALL)
    assert PACKAGES - set(re.findall(r"(\w+)/", layout)) == set()


def test_each_folder_has_a_row() -> None:
    told = {name.partition("<")[0].rstrip("/") for name in first_cells("## Outside the layer")}
    folders = {folder.name for folder in ROOT.iterdir() if is_package(folder) and not folder.name.startswith(".")}
    tests = {f"tests/{folder.name}" for folder in (ROOT / "tests").iterdir() if is_package(folder)}
    assert told == (folders - {"shared", "tests"}) | {"docs", "events"} | tests


@pytest.mark.parametrize("store", [file.parent.name for file in LAYER.glob("*/store.py")])
def test_a_store_is_for_its_own_aggregate(store: str) -> None:
    kept = {
        protected: contract["allowed_importers"]
        for contract in CONTRACTS
        for protected in contract.get("protected_modules", ())
    }
    assert kept.get(f"lockstep.{store}.store") == [f"lockstep.{store}"], "add a contract to pyproject.toml"


def test_the_state_machines_are_kept_from_each_package_that_the_layer_uses() -> None:
    [contract] = [contract for contract in CONTRACTS if contract.get("source_modules") == ["lockstep.fsm"]]
    graph = grimp.build_graph("lockstep", include_external_packages=True)
    outside = {module for module in graph.modules if not module.startswith("lockstep")}
    assert set(contract["forbidden_modules"]) == {"lockstep.*"} | (outside - sys.stdlib_module_names)
