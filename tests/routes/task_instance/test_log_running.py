"""The worker node starts."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="log_running",
    scope=Scope.WORKER,
    usage=Usage(2, 4, 0.5),
    body={"process_group_id": 1, "next_report_increment": 90},
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
