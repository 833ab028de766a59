"""A program: what functions answer and store around the hours in which clocks are put forward or back."""

import json
import os
import sys
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

from local.seed import Seed, load
from lockstep import clock
from tests.conformance.recording import Player
from tests.support.memory import in_memory

MOMENTS: Final = [
    datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
    for moment in (
        *("2026-03-08T06:59:59.5", "2026-03-08T07:00:00"),  # New York goes to summer time
        *("2026-11-01T05:30:00", "2026-11-01T06:30:00"),  # and back
        "2026-12-31T10:30:00",  # a new year begins, first at the date line
    )
]
ARRAY: Final = {"array_id": 1, "name": "a", "workflow_id": 1, "task_template_version_id": 1}
TASK: Final = {
    "status": "I",
    "num_attempts": 1,
    "max_attempts": 3,
    "name": "t",
    "command": "true",
    "task_resources_id": 1,
    "workflow_id": 1,
    "array_id": 1,
}
INSTANCE: Final = {"status": "I", "workflow_run_id": 1, "array_id": 1, "array_batch_num": 1, "task_resources_id": 1}


def main() -> None:
    """Print, for each zone that is named and each moment, the local hour, the replies and the whole table."""
    json.dump([_in(zone) for zone in sys.argv[1:]], sys.stdout)


def _in(zone: str) -> list[dict[str, Any]]:
    os.environ["TZ"] = zone
    time.tzset()
    return [_at(moment) for moment in MOMENTS]


def _at(moment: float) -> dict[str, Any]:
    at = [moment]
    setattr(clock, "time", SimpleNamespace(time=lambda: at[0], monotonic=time.monotonic))  # noqa: B010  # to mypy it is no attribute
    with in_memory() as memory:
        _seed()
        replies = list(_replies(at))
        items = list(memory.items.values())
    return {"local": time.localtime(moment).tm_hour, "replies": replies, "items": sorted(items, key=json.dumps)}


def _seed() -> None:
    tasks = [TASK | {"task_id": number} for number in (1, 2)]
    instances = [
        INSTANCE | {"task_instance_id": number * 1000 + 1, "array_step_id": number - 1, "report_by_in": 90}
        for number in (1, 2)
    ]
    arrays = [ARRAY | {"max_concurrently_running": 1}]
    load(Seed.model_validate({"arrays": arrays, "tasks": tasks, "task_instances": instances}))


def _replies(at: list[float]) -> Any:
    player = Player()
    prefix = "/api/v3/task_instance"
    start = json.dumps({"process_group_id": 1, "next_report_increment": 60})
    for number in (1001, 2001):
        yield player.send("POST", f"{prefix}/{number}/log_running", start)
    at[0] += 59
    yield player.send("POST", f"{prefix}/1001/log_report_by", '{"next_report_increment": 60}')
    at[0] += 2
    yield player.send("POST", "/api/v3/workflow_run/1/set_status_for_triaging", "{}")
    yield player.send(
        "POST", "/api/v3/workflow_run/1/sync_status", '{"task_instance_ids": [1001, 2001], "status": "R"}'
    )
    yield player.send("POST", f"{prefix}/2001/log_unknown_error", '{"error_state": "U", "error_message": "late"}')
    yield player.send("POST", f"{prefix}/1001/log_done", "{}")
    yield player.send("PUT", "/api/v3/task/bind_tasks_no_args", '{"workflow_id": 1, "tasks": {}}')
    yield player.send("POST", "/api/v3/workflow_run", '{"workflow_id": 1, "next_report_increment": 60}')
    for number in (1001, 2001):
        yield player.send("GET", f"{prefix}/{number}")
        yield player.send("GET", f"{prefix}/{number}/task_instance_error_log")


if __name__ == "__main__":
    main()
