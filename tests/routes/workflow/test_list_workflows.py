"""List the workflows, newest first, page by page."""

from typing import Final

import pytest

from functions.workflow.list_workflows.app import WorkflowRow, WorkflowsReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import WorkflowStatus
from lockstep.workflow.item import MAX_USER_BYTES
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import GROWS, MOMENT, TITLE

WORKFLOW_ROW: Final = WorkflowRow(
    workflow_id=MAX_ID,
    name=TITLE,
    user=GROWS * MAX_USER_BYTES,
    status=WorkflowStatus.INSTANTIATING,
    status_name="INSTANTIATING",
    status_date=MOMENT,
    num_tasks=10**7,
    workflow_run_id=MAX_ID,
)
CONTRACT = Contract(
    name="list_workflows",
    scope=Scope.READER,
    usage=Usage(1, 0, 0.5),
    reads="1,000 entries of the index (500 kB)",
    largest=WorkflowsReply(workflows=[WORKFLOW_ROW] * 100, cursor=MAX_ID),
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
