"""Tell the time."""

import pytest

from functions.api.get_time.app import TimeReply
from lockstep import clock
from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="get_time",
    scope=Scope.WORKER,
    usage=Usage(0, 0, 0),
    reads="nothing",
    largest=TimeReply(time=clock.naive(0)),
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
