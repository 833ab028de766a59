"""Note attributes of tasks."""

import pytest

from lockstep.access.scopes import Scope
from lockstep.http.models import NoReply
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="bind_task_attributes",
    scope=Scope.OPERATOR,
    usage=Usage(2, 1, 1),
    reads="10,000 tasks",
    largest=NoReply(),
    body={"task_attributes": {"1": {}}},
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
