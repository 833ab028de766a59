"""The cluster accepted the submission."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="log_distributor_id",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 4, 0),
    body={"distributor_id": "9", "next_report_increment": 90},
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
