"""Store what a task asks of the cluster."""

import pytest

from functions.task.bind_resources.app import ResourcesReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="bind_resources",
    scope=Scope.OPERATOR,
    usage=Usage(2, 2, 0),
    reads="nothing; all loaded clusters (400 kB), where none is cached",
    largest=ResourcesReply(MAX_ID),
    body={"queue_id": 1, "requested_resources": {}},
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
