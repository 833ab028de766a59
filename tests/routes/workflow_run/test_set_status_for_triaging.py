"""Sweep a run for instances that fell silent."""

import pytest

from lockstep.access.scopes import Scope
from lockstep.http.common import NoReply
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="set_status_for_triaging",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(7, 7, 3.5),
    reads=(
        "10,000 entries of flagged instances, 20,000 of due batches (2 MB); as many of those batches, and of "
        "their instances, as a share of the time holds; after a resume, those of 50 runs, one after the other"
    ),
    largest=NoReply(),
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
