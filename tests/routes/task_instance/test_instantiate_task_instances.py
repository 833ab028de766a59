"""The distributor takes queued instances."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="instantiate_task_instances",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(3, 14, 2.5),
    body={"task_instance_ids": []},
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
