"""Find the instance that a worker node is to run."""

import pytest

from functions.array.get_array_task_instance_id.app import StepReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="get_array_task_instance_id",
    scope=Scope.WORKER,
    usage=Usage(1, 0, 0.5),
    reads="one step in the index; the batch (100 kB), if it is not there",
    largest=StepReply(task_instance_id=MAX_ID),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
