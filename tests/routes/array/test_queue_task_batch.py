"""Give tasks their next attempt."""

from typing import Final

import pytest

from functions.array.queue_task_batch.app import QueuedReply
from lockstep.access.scopes import Scope
from lockstep.array.item import Batch
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import TaskStatus
from lockstep.http.fields import MAX_IDS_PER_CALL, MAX_TASKS_PER_CALL
from lockstep.task_instance.item import InstanceKey, TaskInstance
from tests.support.contract import Contract, System, Usage, check

IDS: Final = list(range(MAX_ID - MAX_IDS_PER_CALL, MAX_ID))
TASKS: Final = IDS[:MAX_TASKS_PER_CALL]
CONTRACT = Contract(
    name="queue_task_batch",
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


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
