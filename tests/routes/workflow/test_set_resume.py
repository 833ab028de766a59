"""Ask the run that holds a workflow to end, so that another one may begin."""

import pytest

from lockstep.access.scopes import Scope
from lockstep.http.common import NoReply
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="set_resume",
    scope=Scope.OPERATOR,
    usage=Usage(2, 1, 1),
    reads="the workflow and the run that holds it; what a lapsed run left",
    largest=NoReply(),
    body={"reset_running_jobs": True},
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
