"""Show a queue of a cluster, and its limits."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="get_queue",
    scope=Scope.READER,
    usage=Usage(0, 0, 0),
    unknown=200,
    texts=frozenset({"queue_name"}),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
