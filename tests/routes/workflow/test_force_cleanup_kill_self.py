"""End what earlier runs of a workflow left in KILL_SELF, and the runs that end for a resume."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="force_cleanup_kill_self",
    scope=Scope.OPERATOR,
    usage=Usage(2, 0, 2),
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
