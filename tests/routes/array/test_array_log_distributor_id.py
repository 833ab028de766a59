"""Store the ids that the cluster gave a batch."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="array_log_distributor_id",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 3, 0),
    body={"1001": "9"},
    optional=frozenset({"1001"}),
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
