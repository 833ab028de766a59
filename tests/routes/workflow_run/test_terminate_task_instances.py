"""A resume ends a run's instances."""

import pytest

from functions.workflow_run.terminate_task_instances.app import TerminateReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="terminate_task_instances",
    scope=Scope.OPERATOR,
    usage=Usage(7, 28, 4.5),
    reads="as many of the batches that have not ended, and of their instances, as a share of the time holds",
    largest=TerminateReply(workflow_run_id=MAX_ID, num_terminated=MAX_ID),
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
