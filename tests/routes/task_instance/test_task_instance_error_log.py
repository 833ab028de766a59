"""List an instance's error entries."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="task_instance_error_log",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 0, 1),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
