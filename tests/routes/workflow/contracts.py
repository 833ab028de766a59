"""The contracts of the routes in functions/workflow."""

from typing import Final

from functions.workflow.bind_workflow.app import BoundWorkflowReply
from functions.workflow.fetch_workflow_metadata.app import Metadata, MetadataReply
from functions.workflow.force_cleanup_kill_self.app import CleanupReply
from functions.workflow.get_matching_workflows.app import MatchingReply
from functions.workflow.increase_resources.app import IncreaseReply
from functions.workflow.is_resumable.app import ResumableReply
from functions.workflow.list_workflows.app import WorkflowRow, WorkflowsReply
from functions.workflow.show_workflow.app import ArrayView, WorkflowReply
from functions.workflow.task_status_updates.app import ProgressReply
from lockstep import clock
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import TaskStatus, WorkflowStatus
from lockstep.http.common import NoReply
from lockstep.http.reply import MAX_REPLY_BYTES
from lockstep.workflow import progress
from lockstep.workflow.bind import MOST_MATCHING, Matching
from lockstep.workflow.cursor import GROUP, MOST_GROUPS
from lockstep.workflow.item import MAX_USER_BYTES, WorkflowLookup
from lockstep.workflow.overview import MOST_ARRAYS, MOST_ATTRIBUTES, MOST_RUNS
from tests.support.contract import Contract, Usage
from tests.support.largest import GROWS, LIMIT, MOMENT, NAME, RUN, TITLE

ARGUMENTS = 113571566783094356068141272041938799920184530255238795597921277888933260910039
TASKS = "71303279945741189844535342993474030689917092513701922710896026683606751901890"
OPTIONAL = frozenset({"name", "description", "workflow_args", "max_concurrently_running", "workflow_attributes"})
BIND_WORKFLOW = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(4, 10, 2),
    reads="its lookup and itself, the tool version, the DAG; of over 1,000 attributes, those stored (5 MB)",
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
FETCH_WORKFLOW_METADATA = Contract(
    scope=Scope.READER,
    usage=Usage(2, 0, 1.5),
    reads="the workflow and its specification (305 kB)",
    largest=MetadataReply(workflow=Metadata(MAX_ID, -(2**63), 2**31 - 1)),
    unknown=200,
)
FORCE_CLEANUP_KILL_SELF = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(2, 0, 2),
    reads=(
        "the workflow, its run and what that left; 10,000 entries of instances in KILL_SELF of each of its newest "
        "50 runs"
    ),
    largest=CleanupReply(num_cleaned_up=MAX_ID, num_workflow_runs_finalized=1),
    unknown=200,
)
GET_MATCHING_WORKFLOWS = Contract(
    scope=Scope.READER,
    usage=Usage(1, 0, 1),
    reads="10,000 lookups (4 MB)",
    largest=MatchingReply(matching_workflows=[Matching("9" * 150, MAX_ID, str(-(2**63)))] * MOST_MATCHING),
    unknown=200,
)
GET_TASKS = Contract(
    scope=Scope.READER,
    usage=Usage(4, 0, 3.5),
    reads=(
        "tasks until the page is full, or a share of the time is spent; then the same call goes on; 1,000 long"
        " specifications (320 MB) and 10,000 arrays; resources as far as the reply holds them, and 500 sets more"
        " (30 MB); all loaded clusters (400 kB), where none is cached"
    ),
    largest=MAX_REPLY_BYTES,
    unknown=200,
    query={"max_task_id": "0", "chunk_size": "500"},
)
GET_WORKFLOW_LIMIT = Contract(scope=Scope.READER, usage=Usage(1, 0, 0.5), reads="the workflow", largest=LIMIT)
INCREASE_RESOURCES = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(8, 6, 4.5),
    reads="a group of the workflow's tasks, and the instances and specifications of those that failed",
    largest=IncreaseReply(updated_task_count=GROUP * MOST_GROUPS, updated_task_ids=[MAX_ID] * GROUP * MOST_GROUPS),
    unknown=200,
)
IS_RESUMABLE = Contract(
    scope=Scope.OPERATOR,
    ends=True,
    usage=Usage(2, 0, 2),
    reads=(
        "the workflow, its run, the instances in KILL_SELF of its newest 50 runs, as many as a share of the time holds;"
        " what ended runs left"
    ),
    largest=ResumableReply(workflow_is_resumable=False, pending_kill_self=MAX_ID),
)
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
LIST_WORKFLOWS = Contract(
    scope=Scope.READER,
    usage=Usage(1, 0, 0.5),
    reads="1,000 entries of the index (500 kB)",
    largest=WorkflowsReply(workflows=[WORKFLOW_ROW] * 100, cursor=MAX_ID),
    unknown=None,
)
SET_RESUME = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(2, 1, 1),
    reads="the workflow and the run that holds it; what a lapsed run left",
    largest=NoReply(),
    body={"reset_running_jobs": True},
    unknown=200,
)
SET_WORKFLOW_ATTRIBUTES = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(1, 4, 0),
    reads="the workflow; of more than 1,000 attributes, those that are stored (5 MB)",
    largest=NoReply(),
    body={"workflow_attributes": {}},
    nullable=frozenset({"workflow_attributes"}),
)
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
SHOW_WORKFLOW = Contract(
    scope=Scope.READER,
    usage=Usage(7, 0, 4.5),
    reads=(
        "the workflow and its specification (305 kB), 20 runs, 90 attributes (180 kB), 10,000 ranges of its "
        "tasks (1 MB), 10,000 arrays and batches of 1,000,000 steps (4 MB), each as far as a share of the time holds; "
        "1,000 entries of what failed (120 kB) in 16 shards"
    ),
    largest=WORKFLOW,
)
TASK_STATUS_UPDATES = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(2, 0, 1),
    reads=(
        "up to 16 shards of the change feed; without a time, the status of each of up to 50,000 tasks (100 bytes each)"
    ),
    largest=ProgressReply(tasks_by_status={TaskStatus.DONE: [MAX_ID] * progress.MOST_TOLD}, time=clock.naive(0)),
    body={"last_sync": "2026-01-31 23:59:59"},
    optional=frozenset({"last_sync"}),
    nullable=frozenset({"last_sync"}),
)
