"""Every route keeps its contract."""

import pytest

from lockstep.routes import ROUTES
from tests.support.contract import System, check, contract_of

CHECKS = [(route.name, what) for route in ROUTES for what in contract_of(route.name).checks()]


@pytest.mark.parametrize(("name", "what"), CHECKS)
def test_contract(name: str, what: str, system: System) -> None:
    check(what, contract_of(name), system)
