"""Create tasks, or start over those that a workflow already has."""

import pytest

from lockstep.access.scopes import Scope
from lockstep.task.item import TaskLookup
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="bind_tasks_no_args",
    scope=Scope.OPERATOR,
    usage=Usage(5, 13, 3.5),
    body={"workflow_id": 1, "tasks": {}},
    unknown=None,
    makes=(
        TaskLookup.key(6000, 5101, "31415926535897932384626433832795028841971"),
        TaskLookup.key(6000, 5102, "27182818284590452353602874713526624977572"),
    ),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
