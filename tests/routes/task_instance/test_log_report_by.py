"""The worker node sends a heartbeat."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import RUNNING

CONTRACT = Contract(
    name="log_report_by",
    scope=Scope.WORKER,
    usage=Usage(1, 1, 0),
    reads="the instance and its task, if they reject the write",
    largest=RUNNING,
    body={"next_report_increment": 90},
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
