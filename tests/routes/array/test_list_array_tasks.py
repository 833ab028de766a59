"""List the tasks of an array, page by page: all, or those in a status."""

from typing import Final

import pytest

from functions.array.list_array_tasks.app import ArrayTasksReply, TaskRow
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import TaskStatus
from lockstep.task.item import MAX_INLINE_SPEC_BYTES
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import GROWS, MOMENT

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
CONTRACT = Contract(
    name="list_array_tasks",
    scope=Scope.READER,
    usage=Usage(4, 0, 2),
    reads=(
        "the array, 500 tasks (500 kB), 1,000 of its workflow's ranges of tasks or 100 of its batches; 500 "
        "entries of what failed in 16 parts"
    ),
    largest=ArrayTasksReply(tasks=[TASK_ROW] * 100, cursor="9" * 33),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
