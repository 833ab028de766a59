"""A client begins to run a workflow."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="create_workflow_run",
    scope=Scope.OPERATOR,
    usage=Usage(3, 7, 1),
    body={"workflow_id": 1, "next_report_increment": 90},
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
