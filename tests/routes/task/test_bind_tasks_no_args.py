"""Create tasks, or start over those that a workflow already has."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="bind_tasks_no_args",
    scope=Scope.OPERATOR,
    usage=Usage(5, 13, 3.5),
    body={"workflow_id": 1, "tasks": {}},
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
