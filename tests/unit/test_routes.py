"""routes.py against the functions, the paths of Jobmon and the rules of API Gateway."""

import importlib
import inspect
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from local.template import ROOT
from lockstep.access.scopes import Scope
from lockstep.routes import ROUTES, Route
from tests.support.contract import models

FUNCTIONS = {file.parent: file for file in (ROOT / "functions").glob("*/*/app.py")}
WITHOUT_ROUTE = {ROOT / "functions/api/authorizer", ROOT / "functions/changes/tell_changes"}
JOBMON = [
    line.split(" ")[1] for line in (Path(__file__).parent / "jobmon_paths.txt").read_text(encoding="utf-8").splitlines()
]
"""Every path of Jobmon 3.6's server with the names of its variables."""
SIBLINGS = {
    "array": "array_id",
    "cluster": "cluster_name",
    "task": "task_id",
    "tool": "tool_id",
    "workflow": "workflow_id",
}
"""API Gateway allows one variable name among siblings; Jobmon has several. Here each of these collections has one."""


def conflicts(paths: Iterable[str]) -> list[str]:
    """The places at which two paths name a variable differently: API Gateway imports no such API."""
    names = defaultdict(set)
    for path in paths:
        parts = path.split("/")
        for depth, part in enumerate(parts):
            if part.startswith("{"):
                names[re.sub(r"\{\w+\}", "{}", "/".join(parts[:depth]))].add(part)
    return [f"{place}: {', '.join(sorted(found))}" for place, found in sorted(names.items()) if len(found) > 1]


def with_one_name(path: str) -> str:
    """The path with the variable that follows a collection named as SIBLINGS has it."""
    return re.sub(r"^/(\w+)/\{\w+\}", lambda m: f"/{m[1]}/{{{SIBLINGS[m[1]]}}}" if m[1] in SIBLINGS else m[0], path)


def test_each_function_serves_one_row_and_each_row_has_its_function() -> None:
    rows = {ROOT / "functions" / route.folder for route in ROUTES}
    functions = FUNCTIONS.keys() - WITHOUT_ROUTE
    assert rows - functions == set(), "a row's function is missing: write functions/<row's folder>/app.py"
    assert functions - rows == set(), "a function's row is missing: add it to shared/lockstep/routes.py"


def test_names_and_calls_are_unique() -> None:
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert len({(route.method, re.sub(r"\{\w+\}", "{}", route.path)) for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_function_declares_its_row_and_takes_the_parameters_of_its_path(route: Route) -> None:
    module = importlib.import_module(f"functions.{route.aggregate}.{route.name}.app")
    assert module.__doc__ == route.summary
    assert f'@endpoint("{route.name}")' in inspect.getsource(module)
    path = models(route).get("path")
    fields = path.model_fields.items() if path else ()
    assert sorted(field.alias or name for name, field in fields) == sorted(route.parameters)


def test_one_variable_name_among_siblings() -> None:
    assert conflicts(route.path for route in ROUTES) == []


def test_the_check_finds_the_names_that_jobmon_mixes() -> None:
    assert len(JOBMON) == 98
    assert {found.split(":")[0] for found in conflicts(JOBMON)} == {f"/{collection}" for collection in SIBLINGS}


def test_all_of_jobmons_paths_fit_beside_the_present_ones() -> None:
    assert conflicts([*map(with_one_name, JOBMON), *(route.path for route in ROUTES)]) == []


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_reader_may_call_what_changes_nothing(route: Route) -> None:
    ends_runs = route.name == "is_resumable"
    assert route.may_be_called_by(Scope.READER) == (route.method == "GET" and not ends_runs)
    assert route.may_be_called_by(Scope.OPERATOR)
