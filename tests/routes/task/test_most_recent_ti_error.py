"""Show the newest error of a task."""

import pytest

from functions.task.most_recent_ti_error.app import NewestErrorReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.task_instance.item import MAX_ERROR_BYTES
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import GROWS

CONTRACT = Contract(
    name="most_recent_ti_error",
    scope=Scope.READER,
    usage=Usage(2, 0, 2),
    reads="the task, and the entries of its attempts as `task_instance_error_log` reads them",
    largest=NewestErrorReply(error_description=GROWS * MAX_ERROR_BYTES, task_instance_id=MAX_ID),
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
