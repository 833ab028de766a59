"""What the walk has found, each as short as it can be told."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.verification.model.picture import Reader
from tests.verification.model.promises import broken_promises
from tests.verification.model.system import System, system

TASKS = range(1, 13)
WORKER = {"process_group_id": 1, "nodename": "n1"}


@pytest.fixture
def api() -> Iterator[System]:
    with system() as made:
        yield made


def _send(api: System, route: str, *ids: int, **body: Any) -> Any:
    code, reply = api.send(route, *ids, **body)
    assert code == 200, reply
    return reply


def _bind(api: System) -> None:
    rows = {str(task): [task, task, 1, 1, "t", "true", 3, True, {}, []] for task in TASKS}
    _send(api, "bind_tasks_no_args", workflow_id=1, tasks=rows)


def _queue(api: System, run: int = 1) -> None:
    _send(api, "queue_task_batch", 1, task_ids=[*TASKS], task_resources_id=1, workflow_run_id=run)


def _start(api: System, attempt: int, increment: float) -> list[int]:
    ids = [task * 1000 + attempt for task in TASKS]
    _send(api, "instantiate_task_instances", task_instance_ids=ids)
    _send(api, "transition_to_launched", 1, batch_number=attempt, next_report_increment=increment)
    for number in ids:
        assert _send(api, "log_running", number, next_report_increment=increment, **WORKER)["task_instance"][1] == "R"
    return ids


def _two_attempts(api: System) -> None:
    """Of each task the first is left behind as it was, because the task was bound again."""
    array = {"workflow_id": 1, "task_template_version_id": 1, "max_concurrently_running": 9, "name": "a"}
    assert _send(api, "create_array", **array) == {"array_id": 1}
    _bind(api)
    _queue(api)


def _pairs(api: System, attempt: int) -> list[str]:
    wholes = [_send(api, "get_task_instance", task * 1000 + attempt) for task in TASKS]
    return [whole["task_instance"]["status"] + whole["task"]["status"] for whole in wholes]


@pytest.mark.parametrize("first", [1, 2])
def test_of_two_queued_attempts_at_a_task_the_later_one_takes_it(api: System, first: int) -> None:
    _two_attempts(api)
    _bind(api)
    _queue(api)
    ids = [task * 1000 + attempt for attempt in (first, 3 - first) for task in TASKS]
    reply = _send(api, "instantiate_task_instances", task_instance_ids=ids)
    assert reply == {"task_instance_batches": [[1, "a", 2, 1, [task * 1000 + 2 for task in TASKS]]]}
    assert (_pairs(api, 1), _pairs(api, 2)) == (["QI"] * len(TASKS), ["II"] * len(TASKS))


def test_of_two_abandoned_attempts_at_a_task_the_later_one_decides(api: System) -> None:
    _two_attempts(api)
    _start(api, 1, increment=10)
    _bind(api)
    _queue(api)
    _start(api, 2, increment=100)
    api.clock.sleep(20)
    _send(api, "set_status_for_triaging", 1)
    _send(api, "terminate_task_instances", 1)
    assert (_pairs(api, 1), _pairs(api, 2)) == (["TR"] * len(TASKS), ["KR"] * len(TASKS))
    api.clock.sleep(300)
    _send(api, "set_status_for_triaging", 1)
    assert (_pairs(api, 1), _pairs(api, 2)) == (["UF"] * len(TASKS), ["FF"] * len(TASKS))


def test_an_attempt_that_was_left_behind_does_not_fail_the_task(api: System) -> None:
    _two_attempts(api)
    _bind(api)
    _queue(api, run=2)
    ids = _start(api, 2, increment=100)
    assert _send(api, "terminate_task_instances", 1)["num_terminated"] == len(TASKS)
    assert (_pairs(api, 1), _pairs(api, 2)) == (["FR"] * len(TASKS), ["RR"] * len(TASKS))
    for number in ids:
        assert _send(api, "log_done", number) == {"status": "D"}
    assert _pairs(api, 2) == ["DD"] * len(TASKS)


def test_an_attempt_that_was_left_behind_is_done_alone(api: System) -> None:
    _two_attempts(api)
    left_behind = _start(api, 1, increment=100)
    assert _send(api, "terminate_task_instances", 1)["num_terminated"] == len(TASKS)
    _bind(api)
    _queue(api, run=2)
    ids = _start(api, 2, increment=100)
    for number in left_behind:
        assert _send(api, "log_done", number) == {"status": "D"}
    assert (_pairs(api, 1), _pairs(api, 2)) == (["DR"] * len(TASKS), ["RR"] * len(TASKS))
    assert _broken(api) == []
    for number in ids:
        assert _send(api, "log_done", number) == {"status": "D"}
    assert (_pairs(api, 1), _pairs(api, 2)) == (["DD"] * len(TASKS),) * 2
    assert _broken(api) == []


@pytest.mark.parametrize(("skew", "told"), [(-300, "K"), (60, "K"), (61, "R")])
def test_a_second_worker_runs_only_past_report_by_on_the_clock_that_serves_it(
    api: System, skew: float, told: str
) -> None:
    _two_attempts(api)
    [number, *_] = _start(api, 1, increment=60)
    api.clock.skew = skew
    other = {"process_group_id": 2, "nodename": "n2", "next_report_increment": 60}
    assert _send(api, "log_running", number, **other)["task_instance"][1] == told


def _broken(api: System) -> list[str]:
    stored = Reader().picture(api.items)
    return broken_promises(stored, stored, api.items)
