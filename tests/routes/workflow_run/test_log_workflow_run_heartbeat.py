"""A run's client sends a heartbeat."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="log_workflow_run_heartbeat",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 1, 0),
    body={"status": "R", "next_report_increment": 90},
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
