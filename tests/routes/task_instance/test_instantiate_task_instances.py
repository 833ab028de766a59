"""The distributor takes queued instances."""

import pytest

from lockstep.access.scopes import Scope
from lockstep.http.reply import MAX_REPLY_BYTES
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="instantiate_task_instances",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(3, 14, 2.5),
    reads="10,000 instances and tasks (20 MB), 10,000 arrays (11 MB)",
    largest=MAX_REPLY_BYTES,
    body={"task_instance_ids": []},
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
