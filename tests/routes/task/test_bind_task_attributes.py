"""Note attributes of tasks."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="bind_task_attributes",
    scope=Scope.OPERATOR,
    usage=Usage(2, 1, 1),
    body={"task_attributes": {"1": {}}},
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
