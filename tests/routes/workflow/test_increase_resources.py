"""Give more resources to the tasks of a workflow that failed for want of them."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="increase_resources",
    scope=Scope.OPERATOR,
    usage=Usage(8, 6, 4.5),
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
