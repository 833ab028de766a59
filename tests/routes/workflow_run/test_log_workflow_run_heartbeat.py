"""A run's client sends a heartbeat."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import BOUND

CONTRACT = Contract(
    name="log_workflow_run_heartbeat",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 1, 0),
    reads=(
        "the run, and its workflow if it moves; what a run left that ends; the status of each task, a part at a time, "
        "where a run that ends for a resume says that all is done"
    ),
    largest=BOUND,
    body={"status": "R", "next_report_increment": 90},
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
