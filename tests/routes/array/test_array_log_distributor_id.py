"""Store the ids that the cluster gave a batch."""

import json

import pytest

from functions.array.array_log_distributor_id.app import DistributorIdsReply
from lockstep.access.scopes import Scope
from tests.conformance.recording import Player
from tests.support.contract import Contract, System, Usage, check
from tests.support.seeding import batch, run_of

CONTRACT = Contract(
    name="array_log_distributor_id",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(2, 3, 0.5),  # one of its ids is of another array's instance
    reads="the instances that are not written (10 MB)",
    largest=DistributorIdsReply(),
    body={},
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)


@pytest.mark.parametrize("unusable", [None, "", "x" * 10_000, [], {"a": 1}, True], ids=lambda value: repr(value)[:9])
def test_a_bad_id_does_not_keep_the_others_from_being_stored(player: Player, unusable: object) -> None:
    first, second, third = batch(*[{"status": "O", "distributor_id": "before"}] * 3)
    body = json.dumps({first: "7_0", second: unusable, third: "7_2"})
    status, reply = player.send("POST", f"/api/v3/array/{run_of(first)}/log_distributor_id", body)
    assert (status, reply) == (200, {"success": True})
    stored = [player.whole(number)["task_instance"]["distributor_id"] for number in (first, second, third)]
    assert stored == ["7_0", "before", "7_2"]
