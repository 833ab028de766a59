"""Show a task with its attempts, and why each is in its status."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="show_task",
    scope=Scope.READER,
    usage=Usage(2, 0, 1.5),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
