"""Show a workflow: its runs, and its arrays with their tasks by status."""

from typing import Final

import pytest

from functions.workflow.show_workflow.app import ArrayView, WorkflowReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import TaskStatus, WorkflowStatus
from lockstep.workflow.overview import MOST_ARRAYS, MOST_ATTRIBUTES, MOST_RUNS
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import GROWS, MOMENT, NAME, RUN, TITLE

BY_STATUS: Final = dict.fromkeys(TaskStatus, 10**7)
WORKFLOW: Final = WorkflowReply(
    workflow_id=MAX_ID,
    name=NAME,
    description=GROWS * 150_000,
    workflow_args=GROWS * 150_000,
    status=WorkflowStatus.INSTANTIATING,
    status_name="INSTANTIATING",
    status_date=MOMENT,
    bound_date=MOMENT,
    max_concurrently_running=2**31,
    num_tasks=10**7,
    tool_version_id=MAX_ID,
    dag_id="9" * 19,
    workflow_run_id=MAX_ID,
    attributes={f"{number:03d}{GROWS * 997}": NAME for number in range(MOST_ATTRIBUTES)},
    runs=[RUN] * MOST_RUNS,
    arrays=[
        ArrayView(
            array_id=MAX_ID, name=TITLE, max_concurrently_running=2**31, num_tasks=10**7, tasks_by_status=BY_STATUS
        )
    ]
    * MOST_ARRAYS,
    left_out=10**7,
    tasks_by_status=BY_STATUS,
    seen_date=MOMENT,
    more_failed=False,
    more_batches=False,
    more_tasks=False,
)
CONTRACT = Contract(
    name="show_workflow",
    scope=Scope.READER,
    usage=Usage(7, 0, 4.5),
    reads=(
        "the workflow and its specification (305 kB), 20 runs, 90 attributes (180 kB), 10,000 ranges of its "
        "tasks (1 MB), 10,000 arrays and batches of 1,000,000 steps (4 MB), each as far as a share of the time holds; "
        "1,000 entries of what failed (120 kB) in 16 parts"
    ),
    largest=WORKFLOW,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
