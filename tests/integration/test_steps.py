"""Looking an array's step up."""

from tests.integration.seeding import batch, run_of
from tests.replay.recording import Player


def test_a_step_that_a_seed_left_out_is_not_there(player: Player) -> None:
    first, last = batch({"status": "O"}, {"status": "O", "array_step_id": 2})
    found = [player.send("GET", f"/api/v3/get_array_task_instance_id/{run_of(first)}/1/{step}") for step in range(4)]
    assert [status for status, _ in found] == [200, 404, 200, 404]
    assert [found[0][1], found[2][1]] == [{"task_instance_id": first}, {"task_instance_id": last}]
