"""Note attributes of a workflow."""

import pytest

from lockstep.access.scopes import Scope
from lockstep.http.common import NoReply
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="set_workflow_attributes",
    scope=Scope.OPERATOR,
    usage=Usage(1, 4, 0),
    reads="the workflow",
    largest=NoReply(),
    body={"workflow_attributes": {}},
    nullable=frozenset({"workflow_attributes"}),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
