"""List the workflows with the same arguments."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="get_matching_workflows",
    scope=Scope.READER,
    usage=Usage(1, 0, 1),
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
