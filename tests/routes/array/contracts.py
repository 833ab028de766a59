"""The contracts of the routes in functions/array."""

from typing import Any, Final

from functions.array.array_log_distributor_id.app import DistributorIdsReply
from functions.array.create_array.app import ArrayReply
from functions.array.get_array_task_instance_id.app import StepReply
from functions.array.list_array_tasks.app import ArrayTasksReply, TaskRow
from functions.array.queue_task_batch.app import QueuedReply
from lockstep.access.scopes import Scope
from lockstep.array.item import ArrayLookup, Batch
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import TaskStatus
from lockstep.http.common import NoReply
from lockstep.http.fields import MAX_IDS_PER_CALL, MAX_TASKS_PER_CALL
from lockstep.task.item import MAX_INLINE_SPEC_BYTES
from lockstep.task_instance.item import InstanceKey, TaskInstance
from tests.support.contract import Contract, Usage
from tests.support.largest import GROWS, LIMIT, MOMENT

ARRAY_LOG_DISTRIBUTOR_ID = Contract(
    scope=Scope.DISTRIBUTOR,
    usage=Usage(2, 3, 0.5),  # one of its ids is of another array's instance
    reads="the instances that are not written (10 MB)",
    largest=DistributorIdsReply(),
    body={},
    unknown=200,
)
CREATE_ARRAY = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(4, 7, 1),
    reads="one lookup",
    largest=ArrayReply(array_id=MAX_ID),
    body={"workflow_id": 1, "task_template_version_id": 1, "max_concurrently_running": 1, "name": "a"},
    unknown=None,
    makes=(ArrayLookup.key(6000, 5999),),
)
GET_ARRAY_LIMIT = Contract(scope=Scope.READER, usage=Usage(1, 0, 0.5), reads="the array", largest=LIMIT)
GET_ARRAY_TASK_INSTANCE_ID = Contract(
    scope=Scope.WORKER,
    usage=Usage(1, 0, 0.5),
    reads="one step in the index; the batch (100 kB), if it is not there",
    largest=StepReply(task_instance_id=MAX_ID),
)
TASK_ROW: Final = TaskRow(
    task_id=MAX_ID,
    name=GROWS * MAX_INLINE_SPEC_BYTES,
    status=TaskStatus.ADJUSTING_RESOURCES,
    status_name="ADJUSTING_RESOURCES",
    status_date=MOMENT,
    num_attempts=999,
    max_attempts=2**31,
    task_instance_id=MAX_ID,
)
LIST_ARRAY_TASKS = Contract(
    scope=Scope.READER,
    usage=Usage(4, 0, 2),
    reads=(
        "the array, 500 tasks (500 kB), 1,000 of its workflow's ranges of tasks or 100 of its batches; 500 "
        "entries of what failed in 16 shards"
    ),
    largest=ArrayTasksReply(tasks=[TASK_ROW] * 100, cursor="9" * 33),
)
IDS: Final = list(range(MAX_ID - MAX_IDS_PER_CALL, MAX_ID))
TASKS: Final = IDS[:MAX_TASKS_PER_CALL]
QUEUE_TASK_BATCH = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(3, 25, 1.5),
    reads="10,000 tasks (10 MB)",
    largest=QueuedReply(tasks_by_status={TaskStatus.QUEUED: TASKS}),
    body={"task_ids": [], "task_resources_id": 1, "workflow_run_id": 1},
    unknown=200,
    makes=(
        Batch.key(706, 2),
        *map(TaskInstance.key, (InstanceKey(7056, 1), InstanceKey(7057, 1), InstanceKey(7058, 2))),
    ),
)


def _move(requests: int, written: float, **body: Any) -> Contract:
    """A report about a whole batch."""
    usage, reads = Usage(requests, written, 1.5), "the batch (100 kB), its steps in the index"
    return Contract(scope=Scope.DISTRIBUTOR, usage=usage, reads=reads, largest=NoReply(), body=body, unknown=200)


TRANSITION_TO_KILLED = _move(5, 26, batch_number=1)
TRANSITION_TO_LAUNCHED = _move(4, 12, batch_number=1, next_report_increment=90)
