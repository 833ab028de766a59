"""Show which plugin a cluster needs."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="get_cluster",
    scope=Scope.WORKER,
    usage=Usage(0, 0, 0),
    unknown=200,
    texts=frozenset({"cluster_name"}),
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
