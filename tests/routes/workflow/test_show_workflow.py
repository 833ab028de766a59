"""Show a workflow: its runs, and its arrays with their tasks by status."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="show_workflow",
    scope=Scope.READER,
    usage=Usage(7, 0, 4.5),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
