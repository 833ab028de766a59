"""Every route has a contract, and what is written of it agrees with its row."""

from http import HTTPStatus
from pathlib import Path
from typing import Final

import pytest

from lockstep.routes import ROUTES, Route
from tests.support.contract import contract_of, contracts_of
from tests.support.described import OPERATIONS

HERE = Path(__file__).parent
OF_SOMETHING_ELSE: Final = {"queue_task_batch", "get_tasks"}
"""The routes whose 404 is not about an id of the path: an array that a task names is gone, or a queue."""


def test_every_route_has_a_contract_and_every_contract_and_file_a_route() -> None:
    folders = {file.parent.name for file in HERE.glob("*/contracts.py")}
    contracts = {f"{folder}/test_{name}.py" for folder in folders for name in contracts_of(folder)}
    files = {str(file.relative_to(HERE)) for file in HERE.glob("*/test_*.py")}
    rows = {f"{route.aggregate}/test_{route.name}.py" for route in ROUTES}
    assert rows - contracts == set(), "a route's contract is missing: write it in tests/routes"
    assert contracts | files == rows, "the route of a contract or a test file is missing in shared/lockstep/routes.py"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_contract_states_the_scope_of_its_row(route: Route) -> None:
    assert contract_of(route.name).scope == route.scope


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_the_description_promises_a_404_where_there_is_one(route: Route) -> None:
    assert route.name in OPERATIONS, "its description is missing in docs/openapi.json: run `make docs`"
    promised = str(HTTPStatus.NOT_FOUND.value) in OPERATIONS[route.name]["responses"]
    there_is = contract_of(route.name).unknown == HTTPStatus.NOT_FOUND or route.name in OF_SOMETHING_ELSE
    assert promised == there_is, "list it in FINDS_NOTHING_UNKNOWN of local/openapi.py, or state another `unknown`"
