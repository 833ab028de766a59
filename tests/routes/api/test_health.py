"""Say that the API answers."""

import pytest

from functions.api.health.app import HealthReply
from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="health",
    scope=Scope.WORKER,
    usage=Usage(0, 0, 0),
    reads="nothing",
    largest=HealthReply(),
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
