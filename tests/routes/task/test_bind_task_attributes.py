"""Note attributes of tasks."""

import json

from lockstep.http.fields import MAX_ATTRIBUTES, MAX_ATTRIBUTES_PER_CALL
from tests.conformance.recording import Player


def test_more_values_than_a_call_takes_are_refused_before_a_task_is_read(player: Player) -> None:
    values = dict.fromkeys(map(str, range(MAX_ATTRIBUTES)))
    tasks = range(1, MAX_ATTRIBUTES_PER_CALL // MAX_ATTRIBUTES + 2)
    body = json.dumps({"task_attributes": dict.fromkeys(map(str, tasks), values)})
    status, problem = player.send("PUT", "/api/v3/task/bind_task_attributes", body)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["task_attributes"])
