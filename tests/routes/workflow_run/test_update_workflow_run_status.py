"""A client or a distributor moves a run."""

import pytest

from lockstep.access.scopes import Scope
from lockstep.workflow_run.item import WorkflowRun
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import BOUND

CONTRACT = Contract(
    name="update_workflow_run_status",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(3, 5, 1),
    reads=(
        "the run, and its workflow if it moves; what a run left that ends; the status of each task, a part at a time, "
        "where a run that ends for a resume says that all is done"
    ),
    largest=BOUND,
    body={"status": "R"},
    makes=(WorkflowRun.key(6101),),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
