"""Looking an array's step up."""

from collections.abc import Iterator
from typing import Any

import pytest

from lockstep.array import read
from tests.conformance.recording import Player
from tests.support.answers import listening
from tests.support.memory import in_memory
from tests.support.seeding import batch, run_of

pytestmark = pytest.mark.usefixtures("table_over_http")


@pytest.fixture
def table_over_http() -> Iterator[None]:
    """As table_in_memory, for what changes botocore's replies."""
    with in_memory():
        yield


def test_a_step_that_a_seed_left_out_is_not_there(player: Player) -> None:
    first, last = batch({"status": "O"}, {"status": "O", "array_step_id": 2})
    found = [player.send("GET", f"/api/v3/get_array_task_instance_id/{run_of(first)}/1/{step}") for step in range(4)]
    assert [status for status, _ in found] == [200, 404, 200, 404]
    assert [found[0][1], found[2][1]] == [{"task_instance_id": first}, {"task_instance_id": last}]


@pytest.mark.parametrize("step", [0, 1])
def test_a_step_of_any_run_is_waited_for_while_the_index_lags(
    player: Player, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """404 would end a worker node: the step is there, in the part of the batch that is another run's."""
    first, _ = batch({"status": "O"}, {"status": "O", "workflow_run_id": 5})
    monkeypatch.setattr(read, "INDEX_LAG_SECONDS", 0.0)

    def unseen(parsed: dict[str, Any], **_: Any) -> None:
        parsed["Items"] = []

    with listening("after-call.dynamodb.Query", unseen):
        status, _ = player.send("GET", f"/api/v3/get_array_task_instance_id/{run_of(first)}/1/{step}")
    assert status == 503
