"""The distributor sends a heartbeat for many instances."""

import pytest

from lockstep.access.scopes import Scope
from lockstep.http.common import NoReply
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="log_report_by_batch",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 3, 0),
    reads="nothing",
    largest=NoReply(),
    body={"task_instance_ids": [], "next_report_increment": 90},
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
