"""Every route has a test file of its own, and its files agree with its row."""

from pathlib import Path

import pytest

from lockstep.routes import ROUTES, Route
from tests.support.contract import contract_of

HERE = Path(__file__).parent


def test_every_route_has_a_test_file_and_every_file_a_route() -> None:
    files = {str(file.relative_to(HERE)) for file in HERE.glob("*/test_*.py")}
    rows = {f"{route.aggregate}/test_{route.name}.py" for route in ROUTES}
    assert rows - files == set(), "a route's contract is missing: write it in tests/routes"
    assert files - rows == set(), "a test file's route is missing: it has no row in shared/lockstep/routes.py"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_contract_states_the_row_that_it_is_about(route: Route) -> None:
    contract = contract_of(route.name)
    assert (contract.name, contract.scope) == (route.name, route.scope)
