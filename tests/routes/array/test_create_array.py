"""Create an array, or change how many of its tasks may run at once."""

import pytest

from functions.array.create_array.app import ArrayReply
from lockstep.access.scopes import Scope
from lockstep.array.item import ArrayLookup
from lockstep.dynamodb.item import MAX_ID
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="create_array",
    scope=Scope.OPERATOR,
    usage=Usage(4, 7, 1),
    reads="one lookup",
    largest=ArrayReply(array_id=MAX_ID),
    body={"workflow_id": 1, "task_template_version_id": 1, "max_concurrently_running": 1, "name": "a"},
    unknown=None,
    makes=(ArrayLookup.key(6000, 5999),),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
