"""Show what a task asks of the cluster."""

import json

import pytest

from lockstep.task.bound_item import Resources
from tests.conformance.recording import Player
from tests.support.clusters import without_clusters


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(("queue_id", "name"), [(1, "null.q"), (4, "all.q"), (5, "long.q"), (6, "small.q")])
def test_the_queue_is_the_one_that_was_bound(player: Player, queue_id: int, name: str) -> None:
    body = json.dumps({"queue_id": queue_id, "requested_resources": {"cores": 2}})
    status, number = player.send("POST", "/api/v3/task/bind_resources", body)
    assert status == 200
    shown = {"requested_resources": {"cores": 2}, "queue_name": name}
    assert player.send("POST", f"/api/v3/task_resources/{number}") == (200, shown)


def test_resources_of_a_queue_that_nobody_loaded_are_a_404(player: Player) -> None:
    """Nothing binds them. Somebody wrote them, or the item of the clusters is lost."""
    without_clusters()
    Resources(*Resources.key(987_654), queue_id=77, requested_resources={}).save()
    status, problem = player.send("POST", "/api/v3/task_resources/987654")
    assert (status, problem["detail"]) == (404, "task resources 987654 are of queue 77, which does not exist")
    Resources(*Resources.key(987_654)).delete()
