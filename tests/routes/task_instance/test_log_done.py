"""The command finished."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="log_done",
    scope=Scope.WORKER,
    usage=Usage(1, 7, 0),
    body={"nodename": "n"},
    optional=frozenset({"nodename"}),
    nullable=frozenset({"nodename"}),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
