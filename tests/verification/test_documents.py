"""The tables of docs/correctness.md that name what the tests have, against the tests."""

from importlib import import_module
from typing import Final

import pytest

from local.template import ROOT
from tests.support.tables import named, rows, section
from tests.verification.faults.test_mutations import MUTATIONS
from tests.verification.model.mistakes import OTHERS, QUICK

CORRECTNESS: Final = (ROOT / "docs/correctness.md").read_text(encoding="utf-8")
TOLD: Final = [*rows(section(CORRECTNESS, "## What is tried today"))]


def test_each_row_of_what_is_tried_has_its_own_name_and_place() -> None:
    assert len({what for what, _, _ in TOLD}) == len({where for _, _, where in TOLD}) == len(TOLD)


@pytest.mark.parametrize(("number", "where"), [row[1:] for row in TOLD], ids=[where for _, _, where in TOLD])
def test_as_much_is_tried_as_is_told(number: str, where: str) -> None:
    modules = [place.rpartition(".") for place in named(where)]
    held = sum(len(getattr(import_module(f"tests.{module}"), name)) for module, _, name in modules)
    assert int(number.replace(",", "")) == held


def test_each_change_for_the_worse_is_told_of_with_what_catches_it() -> None:
    told = {named(change)[0]: where for change, *where in rows(section(CORRECTNESS, "### Changes for the worse"))}
    assert told == {mutation.__name__: [caught.scenario, caught.fault] for mutation, caught in MUTATIONS.items()}


def test_each_mistake_of_the_model_is_told_of() -> None:
    told = [name for row in rows(section(CORRECTNESS, "### Mistakes that it finds")) for name in named(" ".join(row))]
    assert sorted(told) == sorted(QUICK | OTHERS)


def test_each_test_that_a_table_names_exists() -> None:
    told = {name for row in rows(CORRECTNESS) for name in named(" ".join(row)) if name.startswith("test_")}
    source = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    assert {name for name in told if f"def {name}(" not in source} == set()
