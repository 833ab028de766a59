"""The command failed."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import RUNNING

CONTRACT = Contract(
    name="log_error_worker_node",
    scope=Scope.WORKER,
    usage=Usage(1, 9, 0),
    reads="the instance and its task, if they reject the write",
    largest=RUNNING,
    body={"error_state": "E", "error_description": "boom"},
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
