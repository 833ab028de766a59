"""The worker node starts."""

import pytest

from functions.task_instance.log_running.app import StartReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import TaskInstanceStatus
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import COMMAND, NAME, PATH

CONTRACT = Contract(
    name="log_running",
    scope=Scope.WORKER,
    usage=Usage(2, 4, 0.5),
    reads="the instance, its task and specification (310 kB), one set of resources (60 kB)",
    largest=StartReply(
        task_instance=(MAX_ID, TaskInstanceStatus.RUNNING, MAX_ID, MAX_ID, NAME, COMMAND, MAX_ID, PATH, PATH)
    ),
    body={"process_group_id": 1, "next_report_increment": 90},
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
