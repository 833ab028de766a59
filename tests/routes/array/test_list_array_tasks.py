"""List the tasks of an array, page by page: all, or those in a status."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="list_array_tasks",
    scope=Scope.READER,
    usage=Usage(4, 0, 2),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
