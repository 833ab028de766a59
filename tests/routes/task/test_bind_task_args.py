"""Keep the arguments of tasks."""

import pytest

from lockstep.access.scopes import Scope
from lockstep.http.common import NoReply
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="bind_task_args",
    scope=Scope.OPERATOR,
    usage=Usage(1, 1, 0),
    reads="of more than 1,000 values to put, those that are stored (5 MB)",
    largest=NoReply(),
    body={"task_args": [[1, 2, "x"]]},
    unknown=None,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
