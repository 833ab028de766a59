"""Store the ids that the cluster gave a batch."""

import json

import pytest

from tests.conformance.recording import Player
from tests.support.seeding import batch, run_of


@pytest.mark.parametrize("unusable", [None, "", "x" * 10_000, [], {"a": 1}, True], ids=lambda value: repr(value)[:9])
def test_a_bad_id_does_not_keep_the_others_from_being_stored(player: Player, unusable: object) -> None:
    first, second, third = batch(*[{"status": "O", "distributor_id": "before"}] * 3)
    body = json.dumps({first: "7_0", second: unusable, third: "7_2"})
    status, reply = player.send("POST", f"/api/v3/array/{run_of(first)}/log_distributor_id", body)
    assert (status, reply) == (200, {"success": True})
    stored = [player.whole(number)["task_instance"]["distributor_id"] for number in (first, second, third)]
    assert stored == ["7_0", "before", "7_2"]
