"""Show a workflow run."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import RUN

CONTRACT = Contract(
    name="show_run",
    scope=Scope.READER,
    usage=Usage(1, 0, 0.5),
    reads="the run",
    largest=RUN,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
