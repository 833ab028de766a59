"""The contracts of the routes in functions/workflow_run."""

from typing import Final

from functions.workflow_run.create_workflow_run.app import NotLinked, RunReply
from functions.workflow_run.sync_status.app import SyncReply
from functions.workflow_run.terminate_task_instances.app import TerminateReply
from lockstep import clock
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.http.common import NoReply
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.poll import MOST_READ, MOST_TOLD
from tests.support.contract import Contract, Usage
from tests.support.largest import BOUND, RUN

READ_BY_A_MOVE: Final = (
    "the run, and its workflow if it moves; what a run left that ends; the status of each task, a part at a time, where"
    " a run that ends for a resume says that all is done"
)
CREATE_WORKFLOW_RUN = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(3, 8, 1),
    reads="the workflow and the run that holds it; what a lapsed run left",
    largest=RunReply(NotLinked(workflow_run_id=None, err_msg="x" * 200)),
    body={"workflow_id": 1, "next_report_increment": 90},
    unknown=None,
)
LOG_WORKFLOW_RUN_HEARTBEAT = Contract(
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 1, 0),
    reads=READ_BY_A_MOVE,
    largest=BOUND,
    body={"status": "R", "next_report_increment": 90},
)
SET_STATUS_FOR_TRIAGING = Contract(
    scope=Scope.DISTRIBUTOR,
    usage=Usage(7, 7, 3.5),
    reads=(
        "10,000 entries of flagged instances, 20,000 of due batches (2 MB); as many of those batches, and of "
        "their instances, as a share of the time holds; after a resume, those of 50 runs, one after the other"
    ),
    largest=NoReply(),
    unknown=200,
)
SHOW_RUN = Contract(scope=Scope.READER, usage=Usage(1, 0, 0.5), reads="the run", largest=RUN)
TOLD: Final = list(range(MAX_ID - MOST_READ - MOST_TOLD, MAX_ID))
SYNC_STATUS = Contract(
    scope=Scope.DISTRIBUTOR,
    usage=Usage(9, 0, 7),
    reads=(
        "10,000 listed instances (10 MB); the batches that may hold others, or the entries of flagged ones, as "
        "far as a share of the time holds; what it tells of them (10 MB)"
    ),
    largest=SyncReply(status_updates={TaskInstanceStatus.QUEUED: TOLD}, time=clock.naive(0)),
    body={"task_instance_ids": [], "status": "R"},
    unknown=200,
)
TERMINATE_TASK_INSTANCES = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(7, 28, 4.5),
    reads="as many of the batches that have not ended, and of their instances, as a share of the time holds",
    largest=TerminateReply(workflow_run_id=MAX_ID, num_terminated=MAX_ID),
    unknown=200,
)
UPDATE_WORKFLOW_RUN_STATUS = Contract(
    scope=Scope.DISTRIBUTOR,
    usage=Usage(3, 5, 1),
    reads=READ_BY_A_MOVE,
    largest=BOUND,
    body={"status": "R"},
    makes=(WorkflowRun.key(6101),),
)
