"""The cluster accepted a whole batch."""

import pytest

from lockstep.access.scopes import Scope
from lockstep.http.common import NoReply
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="transition_to_launched",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(4, 12, 1.5),
    reads="the batch (100 kB), its steps in the index",
    largest=NoReply(),
    body={"batch_number": 1, "next_report_increment": 90},
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
