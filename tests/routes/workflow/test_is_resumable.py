"""Say whether another run of a workflow may be linked."""

import pytest

from functions.workflow.is_resumable.app import ResumableReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="is_resumable",
    scope=Scope.OPERATOR,
    ends=True,
    usage=Usage(2, 0, 2),
    reads=(
        "the workflow, its run, the instances in KILL_SELF of its newest 50 runs, as many as a share of the time holds;"
        " what ended runs left"
    ),
    largest=ResumableReply(workflow_is_resumable=False, pending_kill_self=MAX_ID),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
