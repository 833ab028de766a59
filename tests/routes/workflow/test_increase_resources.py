"""Give more resources to the tasks of a workflow that failed for want of them."""

from typing import Any

import pytest

from functions.workflow.increase_resources.app import IncreaseReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.workflow.cursor import GROUP, MOST_GROUPS
from lockstep.workflow.increase import scaled
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="increase_resources",
    scope=Scope.OPERATOR,
    usage=Usage(8, 6, 4.5),
    reads="a group of the workflow's tasks, and the instances and specifications of those that failed",
    largest=IncreaseReply(updated_task_count=GROUP * MOST_GROUPS, updated_task_ids=[MAX_ID] * GROUP * MOST_GROUPS),
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)


@pytest.mark.parametrize(("amount", "scale"), [(1e308, 10), (10**400, 0.5), (1, 10**400), (10**308, 10**10)])
def test_an_amount_that_would_be_past_all_bounds_stays(amount: float, scale: float) -> None:
    assert scaled({"memory": amount}, {"memory": scale}, 1) == {"memory": amount}


@pytest.mark.parametrize(
    ("requested", "scales"),
    [
        ({str(number): 1e300 for number in range(1_000)}, {str(number): 1 for number in range(1_000)}),
        ({"stdout": "/o", "memory": 1}, {"stdout": ["x" * 5_000], "memory": 1}),
    ],
    ids=["all together", "a path"],
)
def test_resources_that_could_not_be_bound_stay(requested: dict[str, Any], scales: Any) -> None:
    assert scaled(requested, scales, 1) == requested
