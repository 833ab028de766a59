"""Triage found no cause of a failure."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check
from tests.support.largest import SENTENCE

CONTRACT = Contract(
    name="log_unknown_error",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(1, 8, 0),
    reads="the instance and its task, if they reject the write",
    largest=SENTENCE,
    body={"error_state": "U", "error_message": "boom"},
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)
