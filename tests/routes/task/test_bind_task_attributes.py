"""Note attributes of tasks."""

import json

import pytest

from lockstep.access.scopes import Scope
from lockstep.http.common import NoReply
from lockstep.http.fields import MAX_ATTRIBUTES, MAX_ATTRIBUTES_PER_CALL
from tests.conformance.recording import Player
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="bind_task_attributes",
    scope=Scope.OPERATOR,
    usage=Usage(2, 1, 1),
    reads="10,000 tasks (10 MB); of more than 1,000 values to put, those that are stored (5 MB)",
    largest=NoReply(),
    body={"task_attributes": {"1": {}}},
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)


def test_more_values_than_a_call_takes_are_refused_before_a_task_is_read(player: Player) -> None:
    values = dict.fromkeys(map(str, range(MAX_ATTRIBUTES)))
    tasks = range(1, MAX_ATTRIBUTES_PER_CALL // MAX_ATTRIBUTES + 2)
    body = json.dumps({"task_attributes": dict.fromkeys(map(str, tasks), values)})
    status, problem = player.send("PUT", "/api/v3/task/bind_task_attributes", body)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["task_attributes"])
