"""Create a workflow, or find it again by its tool version, tasks and arguments."""

import pytest

from functions.workflow.bind_workflow.app import BoundWorkflowReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import WorkflowStatus
from lockstep.workflow.item import WorkflowLookup
from tests.support.contract import Contract, System, Usage, check

ARGUMENTS = 113571566783094356068141272041938799920184530255238795597921277888933260910039
TASKS = "71303279945741189844535342993474030689917092513701922710896026683606751901890"
OPTIONAL = frozenset({"name", "description", "workflow_args", "max_concurrently_running", "workflow_attributes"})
CONTRACT = Contract(
    name="bind_workflow",
    scope=Scope.OPERATOR,
    usage=Usage(3, 10, 1),
    reads="its lookup and itself",
    largest=BoundWorkflowReply(workflow_id=MAX_ID, status=WorkflowStatus.REGISTERING, newly_created=False),
    body={
        "tool_version_id": 1,
        "dag_id": 1,
        "workflow_args_hash": 1,
        "task_hash": 1,
        "name": "a",
        "description": "",
        "workflow_args": "",
        "max_concurrently_running": 1,
        "workflow_attributes": {},
    },
    optional=OPTIONAL,
    nullable=OPTIONAL,
    unknown=None,
    makes=(WorkflowLookup.key(str(ARGUMENTS + 1), 5600, 1583389922445818365, TASKS),),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
