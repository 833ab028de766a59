"""The cluster accepted the submission."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import SENTENCE

CONTRACT = Contract(
    name="log_distributor_id",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 4, 0),
    reads="the instance and its task, if they reject the write",
    largest=SENTENCE,
    body={"distributor_id": "9", "next_report_increment": 90},
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
