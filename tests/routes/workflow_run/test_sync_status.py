"""The distributor polls for what became of its instances."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="sync_status",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(9, 0, 7),
    body={"task_instance_ids": [], "status": "R"},
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
