"""Show the newest error of a task."""

from typing import Any

import pytest

from local.meter import Meter
from lockstep.context import request
from lockstep.task.item import Task
from lockstep.task_instance.item import MAX_INSTANCE_NUMBER, ErrorEntry, InstanceKey
from tests.conformance.recording import Player
from tests.support.seeding import pair, running


def newest(player: Player, task_id: int) -> Any:
    status, reply = player.send("GET", f"/api/v3/task/{task_id}/most_recent_ti_error")
    assert status == 200, reply
    return reply


def attempts_without_errors(task_id: int, last: int) -> None:
    """Let a task have had so many attempts. Of the later ones nothing is kept, as if they had expired."""
    with request():
        Task(*Task.key(task_id)).update([Task.num_instances.set(last)])


@pytest.mark.parametrize("last", [2, 3, 4, 66, 67, 68, MAX_INSTANCE_NUMBER])
def test_the_error_of_an_early_attempt_is_found_in_as_many_queries_as_there_are_attempts(
    player: Player, meter: Meter, last: int
) -> None:
    instance = running(errors=["first", "second"])
    attempts_without_errors(instance // 1000, last)
    before = meter.usage()
    assert newest(player, instance // 1000) == {"error_description": "second", "task_instance_id": instance}
    used = {name: value - before[name] for name, value in meter.usage().items()}
    assert used["dynamodb_requests"] <= 1 + last + 1
    assert used["read_units"] <= 1 + last + 1


def test_a_task_without_an_error_has_none_however_often_it_was_tried(player: Player) -> None:
    instance = pair("R", "R", attempt=MAX_INSTANCE_NUMBER)
    assert newest(player, instance // 1000) == {"error_description": "", "task_instance_id": None}


def test_of_many_long_texts_the_newest_alone_is_read(player: Player, meter: Meter) -> None:
    instance = running(errors=[f"{number:02d}" + "x" * 100_000 for number in range(12)])
    before = meter.usage()["read_units"]
    assert newest(player, instance // 1000)["error_description"].startswith("11")
    assert meter.usage()["read_units"] - before < 2 * 100_000 / 4096


def test_of_the_attempts_with_errors_the_newest_counts(player: Player) -> None:
    instance = running(errors=["of the first"])
    task_id = instance // 1000
    attempts_without_errors(task_id, 10)
    with request():
        for number in (2, 4):
            key = InstanceKey(task_id, number)
            ErrorEntry(*ErrorEntry.key(key, "c3ab8ff13720e"), error_time=1.0, description=f"of {number}").save()
    assert newest(player, task_id) == {"error_description": "of 4", "task_instance_id": InstanceKey(task_id, 4).id}
