"""Show how many of a workflow's tasks may run at once."""

import pytest

from lockstep.access.scopes import Scope
from lockstep.http.common import LimitReply
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="get_workflow_limit",
    scope=Scope.READER,
    usage=Usage(1, 0, 0.5),
    reads="the workflow",
    largest=LimitReply(max_concurrently_running=2**31 - 1),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
