"""Show a task with its attempts, and why each is in its status."""

from typing import Final

import pytest

from functions.task.show_task.app import AttemptView, TaskReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.task.attempts import MOST_ATTEMPTS
from lockstep.task_instance.item import MAX_INLINE_BYTES
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import COMMAND, GROWS, MOMENT, NAME

ATTEMPT: Final = AttemptView(
    task_instance_id=MAX_ID,
    status=TaskInstanceStatus.NO_DISTRIBUTOR_ID,
    status_name="NO_DISTRIBUTOR_ID",
    status_date=MOMENT,
    reason="x" * 100,
    queued_date=MOMENT,
    started_date=MOMENT,
    ended=False,
    report_by_date=MOMENT,
    overdue=False,
    takeovers=2**31,
    refusals=2**31,
    workflow_run_id=MAX_ID,
    distributor_id=GROWS * 150,
    nodename=GROWS * MAX_INLINE_BYTES["nodename"],
    array_batch_num=MAX_ID,
    array_step_id=MAX_ID,
)
TASK: Final = TaskReply(
    task_id=MAX_ID,
    name=NAME,
    command=COMMAND,
    status=TaskStatus.ADJUSTING_RESOURCES,
    status_name="ADJUSTING_RESOURCES",
    status_date=MOMENT,
    num_attempts=999,
    max_attempts=2**31,
    workflow_id=MAX_ID,
    array_id=MAX_ID,
    node_id="9" * 19,
    task_resources_id=MAX_ID,
    attempts=[ATTEMPT] * MOST_ATTEMPTS,
    left_out=974,
)
CONTRACT = Contract(
    name="show_task",
    scope=Scope.READER,
    usage=Usage(2, 0, 1.5),
    reads="the task, its specification (310 kB), 25 attempts",
    largest=TASK,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
