"""A run's client polls for what became of its tasks."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="task_status_updates",
    scope=Scope.OPERATOR,
    usage=Usage(2, 0, 1),
    body={"last_sync": "2026-01-31 23:59:59"},
    optional=frozenset({"last_sync"}),
    nullable=frozenset({"last_sync"}),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
