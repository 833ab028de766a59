"""Store what a task asks of the cluster."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="bind_resources",
    scope=Scope.OPERATOR,
    usage=Usage(2, 2, 0),
    body={"queue_id": 1, "requested_resources": {}},
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
