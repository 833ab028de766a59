"""Let the tasks of a workflow that are not done start over."""

import pytest

from functions.task.set_resume_state.app import NotStartedOver, StartOverReply
from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="set_resume_state",
    scope=Scope.OPERATOR,
    usage=Usage(4, 3, 4),
    reads="what ended runs left; the workflow's tasks, as many as its time allows",
    largest=StartOverReply(NotStartedOver(err_msg="x" * 200)),
    body={"reset_if_running": True},
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
