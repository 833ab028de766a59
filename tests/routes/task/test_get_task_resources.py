"""Show what a task asks of the cluster."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="get_task_resources",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 0, 0.5),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
