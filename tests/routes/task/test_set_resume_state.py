"""Let the tasks of a workflow that are not done start over."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="set_resume_state",
    scope=Scope.OPERATOR,
    usage=Usage(4, 3, 4),
    body={"reset_if_running": True},
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
