"""The submission gave no distributor id."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import SENTENCE

CONTRACT = Contract(
    name="log_no_distributor_id",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 7, 0),
    reads="the instance and its task, if they reject the write",
    largest=SENTENCE,
    body={"no_id_err_msg": "boom"},
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
