"""Show a workflow's dag and limit."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="fetch_workflow_metadata",
    scope=Scope.READER,
    usage=Usage(2, 0, 1.5),
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
