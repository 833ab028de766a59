"""List the workflows with the same arguments."""

import pytest

from functions.workflow.get_matching_workflows.app import MatchingReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.workflow.bind import MOST_MATCHING, Matching
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="get_matching_workflows",
    scope=Scope.READER,
    usage=Usage(1, 0, 1),
    reads="10,000 lookups (4 MB)",
    largest=MatchingReply(matching_workflows=[Matching("9" * 150, MAX_ID, str(-(2**63)))] * MOST_MATCHING),
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
