"""Give tasks their next attempt."""

import json
from typing import Final

import pytest

from lockstep.task_instance.item import MAX_INSTANCE_NUMBER, InstanceKey
from tests.conformance.recording import Player
from tests.support.seeding import plant

ARRAY: Final = 97_000_000


def used_up_and_nine_others() -> range:
    """The ids of ten tasks of a new array, the first of which has had as many instances as a task may have."""
    ids = range(ARRAY * 10, ARRAY * 10 + 10)
    tasks = [{"task_id": task_id, "status": "G", "num_attempts": 0, "max_attempts": 2_000} for task_id in ids]
    plant(ARRAY, tasks, [{"task_instance_id": InstanceKey(ids[0], MAX_INSTANCE_NUMBER).id, "status": "E"}])
    return ids


@pytest.mark.usefixtures("table_in_memory")
def test_a_task_that_has_used_its_numbers_keeps_its_status_and_the_others_are_queued(player: Player) -> None:
    used_up, *others = ids = used_up_and_nine_others()
    body = json.dumps({"task_ids": [*ids], "task_resources_id": 1, "workflow_run_id": ARRAY})
    for _ in range(2):
        answered = player.send("POST", f"/api/v3/array/{ARRAY}/queue_task_batch", body)
        assert answered == (200, {"tasks_by_status": {"G": [used_up], "Q": others}})
