"""Say whether another run of a workflow may be linked."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="is_resumable",
    scope=Scope.OPERATOR,
    usage=Usage(2, 0, 2),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
