"""Give tasks their next attempt."""

import pytest

from lockstep.access.scopes import Scope
from lockstep.array.item import Batch
from lockstep.task_instance.item import InstanceKey, TaskInstance
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="queue_task_batch",
    scope=Scope.OPERATOR,
    usage=Usage(3, 25, 1.5),
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
