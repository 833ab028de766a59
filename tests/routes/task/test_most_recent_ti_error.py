"""Show the newest error of a task."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="most_recent_ti_error",
    scope=Scope.READER,
    usage=Usage(2, 0, 2),
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
