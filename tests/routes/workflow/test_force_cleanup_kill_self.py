"""End what earlier runs of a workflow left in KILL_SELF, and the runs that end for a resume."""

import pytest

from functions.workflow.force_cleanup_kill_self.app import CleanupReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="force_cleanup_kill_self",
    scope=Scope.OPERATOR,
    usage=Usage(2, 0, 2),
    reads=(
        "the workflow, its run and what that left; 10,000 entries of instances in KILL_SELF of each of its newest "
        "50 runs"
    ),
    largest=CleanupReply(num_cleaned_up=MAX_ID, num_workflow_runs_finalized=1),
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
