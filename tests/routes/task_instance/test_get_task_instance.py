"""Show an instance and its task."""

from typing import Final

import pytest

from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.task_instance.item import MAX_LOG_CHARACTERS
from lockstep.task_instance.views import InstanceView, TaskView, WholeReply
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import COMMAND, GROWS, GROWS_MOST, MOMENT, NAME, PATH

OUTPUT: Final = (GROWS_MOST[0] * MAX_LOG_CHARACTERS)[1:] + GROWS_MOST[1]
WHOLE: Final = WholeReply(
    task_instance=InstanceView(
        task_instance_id=MAX_ID,
        status=TaskInstanceStatus.RUNNING,
        status_name="NO_DISTRIBUTOR_ID",
        status_date=MOMENT,
        report_by_date=MOMENT,
        workflow_run_id=MAX_ID,
        array_id=MAX_ID,
        array_batch_num=MAX_ID,
        array_step_id=MAX_ID,
        task_resources_id=MAX_ID,
        distributor_id=GROWS * 80,
        nodename=GROWS * 255,
        process_group_id=-(2**63),
        stdout=PATH,
        stderr=PATH,
        stdout_log=OUTPUT,
        stderr_log=OUTPUT,
    ),
    task=TaskView(
        task_id=MAX_ID,
        status=TaskStatus.ADJUSTING_RESOURCES,
        status_name="ADJUSTING_RESOURCES",
        num_attempts=999,
        max_attempts=2**31,
        workflow_id=MAX_ID,
        array_id=MAX_ID,
        name=NAME,
        command=COMMAND,
    ),
)
CONTRACT = Contract(
    name="get_task_instance",
    scope=Scope.READER,
    usage=Usage(1, 0, 8),
    reads="the instance, its task, its specification and its log: four items (420 kB)",
    largest=WHOLE,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
