"""Every bulk route ends within ten tries, each of which does a part; or all that it does fits one call.

In virtual time, where every request to DynamoDB takes up to a second: a call sends about ten. The tables below name
each bulk row of routes.py. test_progress.py shows what may happen between two tries.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pytest
from pynamodb.expressions.update import Action

from local.seed import Seed, SeedWorkflow, load
from lockstep.context import request
from lockstep.dynamodb.puts import put_many
from lockstep.fsm.statuses import TaskStatus, WorkflowStatus
from lockstep.routes import BULK, ROUTES
from lockstep.task.item import Task, changed_key
from lockstep.workflow.item import RunOfWorkflow, Workflow
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.sweep import ABANDONED_SECONDS
from sim import requests
from sim.requests import Request
from tests.support import items
from tests.support.every import is_listed
from tests.support.slow import ARRAY, LUCK, RUN, STEPS, TRIES, Slow, fill, in_parts


class Large(NamedTuple):
    """A call about more than fits its time, which does a part and is answered 503 until all is done."""

    statuses: tuple[str, str]
    """Of each of STEPS instances, if there are any, and of its task."""
    request: Request
    done: Callable[[Slow], int]
    """How much is done."""
    of: int = STEPS
    """How much there is to do."""
    seconds: float = 1.0
    """That each request to DynamoDB takes."""
    most_asked: tuple[str, int, int] = ("", 0, 0)
    """An operation of DynamoDB that no call begins again: how often it is asked at most, and more for each call."""
    tells: Callable[[Any], bool] = lambda _: True
    """Whether the last reply is right."""


def instances_in(status: str) -> Callable[[Slow], int]:
    return lambda slow: slow.statuses().count(status)


def tasks_in(status: str) -> Callable[[Slow], int]:
    return lambda slow: slow.tasks().count(status)


def stored(kind: str) -> Callable[[Slow], int]:
    """Items whose key has this in it."""
    return lambda slow: sum(kind in "".join(key) for key in slow.memory.items)


def edges_of(node: int) -> dict[str, Any]:
    return {"node_id": node, "upstream_node_ids": None, "downstream_node_ids": [1, 2]}


def node_of(version: int) -> dict[str, Any]:
    return {"task_template_version_id": version, "node_args_hash": "1", "node_args": {"1": "x"}}


GROUPS: Final = STEPS // 50
NUMBERS: Final = range(1, STEPS + 1)
IDS: Final = [number * 1000 + 1 for number in NUMBERS]
NOTHING: Final = ("", "G")
LARGE: Final = {
    "transition_to_launched": Large(("I", "I"), requests.launch(ARRAY, 1, 279), instances_in("O")),
    "transition_to_killed": Large(("K", "R"), requests.kill(ARRAY, 1), instances_in("F")),
    "terminate_task_instances": Large(("R", "R"), requests.terminate(RUN), instances_in("K")),
    "set_resume_state": Large(
        ("Z", "F"),
        requests.start_over(ARRAY),
        tasks_in("G"),
        seconds=0.5,
        most_asked=("BatchGetItem", GROUPS - 1, 2),
    ),
    "increase_resources": Large(
        ("Z", "F"),
        Request("POST", f"/workflow/{ARRAY}/increase_resources", {}),
        tasks_in("E"),
        seconds=0.05,
        most_asked=("BatchGetItem", 3 * (GROUPS - 1), 4),
    ),
    "queue_task_batch": Large(
        NOTHING,
        requests.queue(ARRAY, [*NUMBERS], 1, RUN),
        stored("TI#001"),
        tells=lambda reply: reply == {"tasks_by_status": {"Q": [*NUMBERS]}},
    ),
    "bind_tasks_no_args": Large(
        NOTHING,
        requests.bind_tasks(ARRAY, [requests.task(node, ARRAY, 1, "true") for node in NUMBERS]),
        stored("TASKOF#"),
        seconds=0.7,  # to recognise what is bound takes ten requests
        tells=lambda reply: {status for _, status in reply["tasks"].values()} == {"G"},
    ),
    "array_log_distributor_id": Large(
        ("O", "O"),
        requests.log_distributor_ids(ARRAY, {number: f"7_{number}" for number in IDS}),
        lambda slow: sum("distributor_id" in item for item in slow.memory.items.values()),
    ),
    "bind_task_attributes": Large(
        NOTHING,
        Request(
            "PUT",
            "/task/bind_task_attributes",
            {"task_attributes": {number: {"a": "b", "none": None} for number in NUMBERS}},
        ),
        stored("ATTRIBUTE#"),
        of=2 * STEPS,
        seconds=0.7,
        most_asked=("BatchWriteItem", 2 * STEPS // 25, 1),
    ),
    "bind_task_args": Large(
        NOTHING,
        Request("PUT", "/task/bind_task_args", {"task_args": [[number * 500, 7, "x"] for number in NUMBERS]}),
        stored("ARGUMENTS#"),
        seconds=0.7,
        most_asked=("BatchWriteItem", STEPS // 25, 1),
    ),
    "add_edges": Large(
        NOTHING,
        Request("POST", "/dag/77/edges", {"mark_created": True, "edges_to_add": [*map(edges_of, NUMBERS)]}),
        stored("EDGE#"),
        seconds=0.7,
        most_asked=("BatchWriteItem", STEPS // 25, 1),
    ),
    "bind_nodes": Large(
        NOTHING,
        Request("POST", "/nodes", {"nodes": [*map(node_of, NUMBERS)]}),
        stored("NODES#"),
        most_asked=("BatchWriteItem", STEPS // 25, 1),
    ),
}
PUT: Final = {name for name, large in LARGE.items() if large.most_asked[0] == "BatchWriteItem"}
ENDS_A_RUN: Final = {
    "set_resume": requests.set_resume(ARRAY, cold=True),
    "is_resumable": Request("GET", f"/workflow/{ARRAY}/is_resumable"),
    "set_resume_state": requests.start_over(ARRAY),
    "force_cleanup_kill_self": Request("POST", f"/workflow/{ARRAY}/force_cleanup_kill_self", {}),
    "create_workflow_run": requests.create_run(ARRAY, 90),
    "update_workflow_run_status": requests.move_run(RUN, "T"),
    "log_workflow_run_heartbeat": requests.beat_run(RUN, 90, "T"),
}
"""The routes that end a run whose client is gone, or whose client says so: its instances are stopped first."""
SAYS_HOW_FAR: Final = {
    "instantiate_task_instances",
    "log_report_by_batch",
    "set_status_for_triaging",
    "sync_status",
    "task_status_updates",
}
"""The routes that are answered 200 for a part: the next call does the rest, or tells of it."""
LOOKS: Final = {"list_array_tasks", "list_workflows", "show_workflow"}
ELSEWHERE: Final = {
    "get_downstream_tasks": "it does all or nothing: test_requests.py says how many requests its largest call takes",
    "get_tasks": "test_progress.py: its search goes on",
}


def test_every_bulk_route_is_held() -> None:
    held = LARGE.keys() | ENDS_A_RUN.keys() | SAYS_HOW_FAR | LOOKS | ELSEWHERE.keys()
    bulk = {route.name for route in ROUTES if route.budget == BULK}
    is_listed(bulk, held, "a bulk route; show in one of the tables above that its calls end in parts, or fit one")


@pytest.mark.parametrize(
    ("route", "retention"), [*((route, 0) for route in LARGE), *((route, 30) for route in sorted(PUT))]
)
def test_a_large_call_is_done_in_parts(
    slow: Slow, route: str, retention: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockstep.clock.RETENTION_DAYS", retention)
    large = LARGE[route]
    fill(slow, *large.statuses)
    slow.call("POST", "/dag", {"dag_hash": 77})
    slow.seconds = large.seconds
    slow.asked.clear()
    calls, reply = slow.finish(*large.request, done=lambda: large.done(slow))
    assert large.done(slow) == large.of
    assert calls > 1, "it is more than a call can do"
    assert large.tells(reply)
    operation, most, more = large.most_asked
    assert slow.asked[operation] <= most + more * calls, "no call begins again"


def lapsed_with(slow: Slow, status: str) -> Slow:
    fill(slow, status, "R", report_by_in=1_000)
    slow.seconds = 0.0
    with request():
        held: list[Action] = [Workflow.workflow_run_id.set(RUN), Workflow.status.set(WorkflowStatus.RUNNING)]
        Workflow(*Workflow.key(ARRAY)).update(held)
        RunOfWorkflow(*RunOfWorkflow.key(ARRAY, RUN)).save()
    slow.get(*ENDS_A_RUN["set_resume"])
    assert slow.get(*requests.beat_run(RUN, -1)) == {"status": "C"}
    slow.seconds = 0.3
    return slow


@pytest.mark.parametrize("route", ENDS_A_RUN)
def test_a_run_that_leaves_much_is_ended_in_parts(slow: Slow, route: str) -> None:
    """It ends for a cold resume, and its client is gone. All its instances run."""
    lapsed_with(slow, "R")
    calls, _ = slow.finish(*ENDS_A_RUN[route], done=lambda: STEPS - slow.statuses().count("R"))
    assert calls > 1, "it is more than a call can do"
    assert "R" not in slow.statuses()
    assert slow.memory.items[WorkflowRun.key(RUN)]["status"]["S"] == "T"


def test_what_is_silent_of_an_ended_run_fails_in_parts(slow: Slow) -> None:
    lapsed_with(slow, "T")
    slow.seconds = 0.0
    slow.get(*ENDS_A_RUN["update_workflow_run_status"])
    slow.clock.sleep(1_001)
    slow.seconds = 0.7
    calls, _ = slow.finish(*ENDS_A_RUN["is_resumable"], done=lambda: slow.statuses().count("U"))
    assert calls > 1, "it is more than a call can do"
    assert slow.statuses() == "U" * STEPS


def test_a_cleanup_ends_a_part_of_what_is_left_and_the_next_one_the_rest(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockstep.workflow_run.handover.MOST_INDEXED", 150)
    monkeypatch.setattr("lockstep.array.run_index.MOST_INDEXED", 150)
    monkeypatch.setattr("lockstep.workflow_run.handover.ENDED_AT_ONCE", 33)
    fill(slow, "K", "R")
    with request():
        RunOfWorkflow(*RunOfWorkflow.key(ARRAY, RUN)).save()
    calls, _ = slow.finish(*ENDS_A_RUN["force_cleanup_kill_self"], done=lambda: STEPS - slow.statuses().count("K"))
    assert "K" not in slow.statuses()
    assert calls > 2, "it is more than a call lists"


def sweeps(slow: Slow, status: str) -> int:
    """How many it takes to leave nothing in a status."""

    def settles_all() -> bool:
        slow.get(*requests.sweep(RUN))
        return status not in slow.statuses()

    return in_parts(settles_all, lambda: STEPS - slow.statuses().count(status))


def test_a_sweep_moves_a_part_of_what_is_overdue_and_the_next_one_the_rest(slow: Slow) -> None:
    fill(slow, "R", "R", report_by_in=-1)
    sweeps(slow, "R")
    assert slow.statuses() == "T" * STEPS


def test_sweeps_settle_more_than_they_list(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lockstep.array.run_index.MOST_INDEXED", 150)
    fill(slow, "K", "R", report_by_in=1)
    slow.clock.sleep(ABANDONED_SECONDS + 1)
    slow.seconds = 0.1
    assert sweeps(slow, "K") > 2


def test_instantiate_tells_what_it_took_and_takes_the_rest_when_it_is_listed(slow: Slow) -> None:
    left = set(fill(slow, "Q", "Q"))

    def takes_all() -> bool:
        reply = slow.get(*requests.instantiate(sorted(left)))
        left.difference_update(number for *_, members in reply["task_instance_batches"] for number in members)
        return not left

    in_parts(takes_all, lambda: STEPS - len(left))
    assert slow.statuses() == "I" * STEPS


def test_many_heartbeats_are_moved_in_parts(slow: Slow) -> None:
    ids = fill(slow, "O", "O", report_by_in=10)

    def moves_all() -> bool:
        slow.get(*requests.beat_launched(ids, 279))
        report_by = [float(item["report_by"]["N"]) for (_, sk), item in slow.memory.items.items() if sk == "TI#001"]
        return min(report_by) > slow.clock.time() + 100

    assert in_parts(moves_all, most=LUCK) > 1


@pytest.mark.parametrize(("status", "known", "seconds"), [("Q", 0, 1.0), ("T", 0, 0.7), ("T", 250, 0.7)])
def test_polls_tell_of_a_large_batch_in_parts(slow: Slow, status: str, known: int, seconds: float) -> None:
    """Of flagged instances also behind those that they list."""
    ids = fill(slow, status, {"T": "R"}.get(status, status))
    slow.seconds = seconds
    listed = ids[:known]

    def tells_all() -> bool:
        listed.extend(slow.get(*requests.poll(RUN, status, listed))["status_updates"].get(status, []))
        return len(listed) == STEPS

    most, done = (LUCK, None) if status == "Q" else (TRIES, lambda: len(listed))
    assert in_parts(tells_all, done, most) > 1
    assert sorted(listed) == ids


def test_polls_that_list_more_than_they_read_hear_of_each_in_the_end(slow: Slow) -> None:
    left = set(fill(slow, "D", "D"))

    def tells_all() -> bool:
        left.difference_update(slow.get(*requests.poll(RUN, "R", sorted(left)))["status_updates"]["D"])
        return not left

    assert in_parts(tells_all, lambda: STEPS - len(left), most=LUCK) > 1


def test_polls_tell_of_a_large_workflow_in_parts(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MOST_IN_FULL": STEPS - 1, "MOST_TOLD": 150, "CHANGES_AT_ONCE": 50}.items():
        monkeypatch.setattr(f"lockstep.workflow.progress.{name}", value)
    fill(slow, "D", "D")
    changed = slow.clock.time()
    with request(60):
        for number in NUMBERS:
            at = changed + number
            Task(*Task.key(number)).update([Task.changed.set(changed_key(at, TaskStatus.DONE))])
    slow.clock.sleep(STEPS + 100)
    slow.seconds = 0.5
    told: set[int] = set()
    since: list[str] = []

    def tells_all() -> bool:
        reply = slow.get(*requests.poll_workflow(ARRAY, *since[-1:]))
        told.update(reply["tasks_by_status"]["D"])
        since.append(reply["time"])
        return len(told) >= STEPS

    assert in_parts(tells_all, lambda: len(told)) > 1
    assert told == {*NUMBERS}


SMALL_PAGES: Final = {
    "lockstep.workflow.listing._LEAST_AT_ONCE": 10,
    "lockstep.array.pages._FAILED_AT_ONCE": 10,
    "lockstep.array.pages._BATCHES_AT_ONCE": 10,
    "lockstep.array.pages.KEYS_PER_READ": 10,
    "lockstep.workflow.counts._FAILED_AT_ONCE": 10,
}


@pytest.fixture
def looked(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> Slow:
    """A table of much to look at, of which a request reads little."""
    for name, value in SMALL_PAGES.items():
        monkeypatch.setattr(name, value)
    fill(slow, "F", "F")
    slow.seconds = 0.0
    return slow


def pages(slow: Slow, path: str, rows: str, **query: str) -> list[list[Any]]:
    """All pages of a list, each of which gets further."""
    found: list[list[Any]] = []
    cursor: dict[str, str] = {}
    while len(found) < LUCK:
        code, reply = slow.call("GET", path, **query, **cursor)
        assert code == 200
        found.append(reply[rows])
        if reply["cursor"] is None:
            return found
        assert cursor != {"cursor": str(reply["cursor"])}, "each page gets further"
        cursor = {"cursor": str(reply["cursor"])}
    raise AssertionError("it does not end")


@pytest.mark.parametrize("status", ["F", "G"])
def test_a_list_of_tasks_ends_a_page_in_time(looked: Slow, status: str) -> None:
    with request(60):
        for number in NUMBERS:
            if status == "G" and number % 40 == 0:
                Task(*Task.key(number)).update([Task.status.set("G")])
    looked.seconds = 1.0
    listed = pages(looked, f"/arrays/{ARRAY}/tasks", "tasks", status=status, limit="100")
    assert sum(map(len, listed)) == (STEPS if status == "F" else STEPS // 40)
    assert len(listed) > STEPS // 100 + 1, "more than the pages that hold all"


def test_a_look_at_many_batches_ends_in_time(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SMALL_PAGES.items():
        monkeypatch.setattr(name, value)
    fill(slow, "", "D")
    slow.seconds = 0.0
    batches = [items.batch(ARRAY, number, 1, seen="D") for number in range(1, 100)]
    with request(60):
        put_many(batches)
    slow.seconds = 1.0
    assert len(pages(slow, f"/arrays/{ARRAY}/tasks", "tasks", status="R")) > 1


def test_a_list_of_workflows_ends_a_page_in_time(looked: Slow) -> None:
    load(Seed(workflows=[SeedWorkflow(workflow_id=number) for number in range(1_000, 1_300)]))
    looked.seconds = 0.5
    listed = pages(looked, "/workflows", "workflows", name="no such name", limit="10")
    assert listed == [[]] * len(listed)
    assert len(listed) > 1


def test_a_view_of_a_workflow_says_that_not_all_is_counted(looked: Slow) -> None:
    looked.seconds = 0.5
    code, reply = looked.call("GET", f"/workflows/{ARRAY}")
    assert (code, reply["more_failed"]) == (200, True)
    assert 0 < reply["tasks_by_status"]["F"] < STEPS
