"""What people look at: counts, pages and reasons follow what happens, at a cost that does not grow with the tasks."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qs

import pytest

from local.meter import Meter
from lockstep.clock import now
from lockstep.context import request
from lockstep.dynamodb.item import MAX_TITLE_BYTES, Item
from lockstep.dynamodb.puts import put_many
from lockstep.fsm.statuses import TaskStatus, WorkflowStatus
from lockstep.task import bind as binding
from lockstep.task.item import Task, failed_key, feed_key
from lockstep.workflow import counts, listing
from lockstep.workflow.counts import ArrayCounts
from lockstep.workflow.item import MAX_USER_BYTES, TaskRange, Workflow
from sim import requests
from sim.requests import Request
from tests.conformance.recording import Player
from tests.support import items
from tests.support.linking import ask, workflow_key
from tests.support.memory.boundary import in_memory
from tests.support.workflows import BOOM
from tests.support.workflows import Workflow as Life

MOST_UNITS: Final = 50
"""Read units that the counts of 100,000 tasks may take."""
TASKS: Final = 100_000
PER_BATCH: Final = 500


@pytest.fixture
def player() -> Iterator[Player]:
    with in_memory():
        yield Player()


def send(player: Player, path: str) -> tuple[int, Any]:
    path, _, query = path.partition("?")
    return player.send("GET", f"/api/v3/{path}", None, None, **parse_qs(query))


def get(player: Player, path: str) -> Any:
    status, reply = send(player, path)
    assert status == 200, (path, reply)
    return reply


def counted(player: Player, workflow_id: int) -> dict[str, int]:
    shown = get(player, f"workflows/{workflow_id}")["tasks_by_status"]
    return {status: number for status, number in shown.items() if number}


def pages(player: Player, path: str, **query: Any) -> Iterator[list[Any]]:
    """Each page of a list, until one has no cursor."""
    more = "&".join(f"{name}={value}" for name, value in query.items())
    page = get(player, f"{path}?{more}")
    while True:
        yield next(value for name, value in page.items() if name != "cursor")
        if page["cursor"] is None:
            return
        page = get(player, f"{path}?{more}&cursor={page['cursor']}")


def ids(player: Player, array: int, **query: Any) -> list[int]:
    return [row["task_id"] for page in pages(player, f"arrays/{array}/tasks", **query) for row in page]


def poll(life: Life, status: str, listed: list[int]) -> None:
    life.expect("POST", f"/workflow_run/{life.run}/sync_status", {"task_instance_ids": listed, "status": status})


def test_counts_follow_what_polls_have_seen(player: Player) -> None:
    life = Life(player, 6)
    tasks = [task_id for task_id, _ in life.bind(max_attempts=1).values()]
    assert counted(player, life.id) == {"G": 6}
    first, second, third, fourth = life.queue(tasks[:4])
    life.finish(first)
    life.fail(second)
    life.start(third)
    poll(life, "O", [first, second, third, fourth])
    assert counted(player, life.id) == {"G": 2, "O": 1, "R": 1, "D": 1, "F": 1}
    assert ids(player, life.array, status="F") == [tasks[1]]
    assert ids(player, life.array, status="R") == [tasks[2]]
    assert ids(player, life.array, status="O") == [tasks[3]]
    assert ids(player, life.array, status="D") == [tasks[0]]
    assert ids(player, life.array, status="G") == tasks[4:]
    assert ids(player, life.array) == tasks


def test_no_more_are_under_way_than_are_left(player: Player) -> None:
    """All ended since they were seen: one failed for good, and the list of those is never behind."""
    life = Life(player, 2)
    first, second = life.queue(task_id for task_id, _ in life.bind(max_attempts=1).values())
    life.start(first)
    life.start(second)
    poll(life, "O", [first, second])
    for instance in (first, second):
        life.hears(instance, "log_error_worker_node", **BOOM)
    assert counted(player, life.id) == {"F": 2}
    assert get(player, f"workflows/{life.id}")["seen_date"] is not None


def test_as_a_run_ends_its_instances_are_looked_at_once_more(player: Player) -> None:
    life = Life(player, 3)
    instances = life.queue(task_id for task_id, _ in life.bind().values())
    for instance in instances[:2]:
        life.finish(instance)
    assert counted(player, life.id).get("D") is None
    life.move(*"BIORE")
    assert counted(player, life.id) == {"D": 2, "O": 1}


def test_all_tasks_of_a_workflow_that_is_done_are_done(player: Player) -> None:
    life = Life(player, 2)
    for instance in life.queue(task_id for task_id, _ in life.bind().values()):
        life.start(instance)
    with request():
        Workflow(*Workflow.key(life.id)).update([Workflow.status.set(WorkflowStatus.DONE)])
    assert counted(player, life.id) == {"D": 2}


def test_a_task_that_starts_over_has_not_failed(player: Player) -> None:
    life = Life(player, 1)
    [(task, _)] = life.bind(max_attempts=1).values()
    [instance] = life.queue([task])
    life.fail(instance)
    poll(life, "O", [instance])
    assert counted(player, life.id) == {"F": 1}
    assert life.bind(max_attempts=2)[0] == (task, "G")
    assert counted(player, life.id) == {"G": 1}
    assert ids(player, life.array, status="F") == []


@pytest.mark.parametrize(
    ("status", "tasks", "seen", "failed", "counted"),
    [
        pytest.param(
            "R", 1, {"D": 2}, 0, {"D": 1}, id="two attempts at a task are done: a later one replaced the first"
        ),
        pytest.param("R", 1, {"D": 1}, 1, {"F": 1}, id="the later one failed"),
        pytest.param("R", 3, {"D": 2, "R": 2}, 0, {"D": 2, "R": 1}, id="no more run than are left"),
        pytest.param("D", 0, {}, 3, {"F": 3}, id="none is less than none"),
    ],
)
def test_no_more_are_counted_than_there_are(
    status: str, tasks: int, seen: dict[str, int], failed: int, counted: dict[str, int]
) -> None:
    by_letter = Counter({TaskStatus(letter): number for letter, number in seen.items()})
    found = ArrayCounts(num_tasks=tasks, seen=by_letter, failed=failed).by_status(WorkflowStatus(status))
    assert {str(status): number for status, number in found.items() if number} == counted


def test_tasks_of_which_nobody_said_whose_they_are_are_on_the_pages_of_their_array(player: Player) -> None:
    """As earlier versions stored their ids."""
    life = Life(player, 3)
    bound = [task for task, _ in life.bind().values()]
    with request():
        TaskRange(*TaskRange.key(life.id, bound[0])).update([TaskRange.arrays.remove()])
    assert ids(player, life.array) == bound
    assert counted(player, life.id) == {}


def test_ids_that_another_caller_made_superfluous_count_for_no_array(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = Life(player, 3)
    bound = life.bind()
    with monkeypatch.context() as patch:
        look_up = binding._look_up  # noqa: SLF001  # a caller that looked before the other one wrote

        def too_early(bindings: Any, *, consistent: bool) -> None:
            with monkeypatch.context() as early:
                if not consistent:
                    early.setattr(binding, "fetch", lambda *_, **__: {})
                look_up(bindings, consistent=consistent)

        patch.setattr(binding, "_look_up", too_early)
        assert life.bind() == bound
    view = get(player, f"workflows/{life.id}")
    assert (view["num_tasks"], view["arrays"][0]["num_tasks"]) == (3, 3), "of six ids three are in use"
    assert counted(player, life.id) == {"G": 3}
    assert ids(player, life.array) == [task for task, _ in bound.values()]


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_pages_hold_each_task_once(player: Player, limit: int) -> None:
    life = Life(player, 23)
    tasks = [task_id for task_id, _ in life.bind(max_attempts=1).values()]
    instances = life.queue(tasks)
    for instance in instances[:9]:
        life.fail(instance)
    for instance in instances[9:]:
        life.start(instance)
    poll(life, "O", instances)
    failed = ids(player, life.array, status="F", limit=limit)
    assert sorted(failed) == tasks[:9]
    assert ids(player, life.array, status="R", limit=limit) == tasks[9:]
    assert ids(player, life.array, limit=limit) == tasks
    shown = [row for page in pages(player, f"arrays/{life.array}/tasks", status="F") for row in page]
    dates = [row["status_date"] for row in shown]
    assert dates == sorted(dates, reverse=True), "newest first"


def test_failures_of_one_moment_are_each_on_one_page(player: Player) -> None:
    life = Life(player, 5)
    tasks = [task_id for task_id, _ in life.bind(max_attempts=1).values()]
    for instance in life.queue(tasks):
        life.fail(instance)
    at = now()
    with request():
        for task_id in tasks:
            Task(*Task.key(task_id)).update([Task.listed_as.set(failed_key(at, task_id))])
    assert ids(player, life.array, status="F", limit=2) == tasks[::-1]


def test_a_page_ends_after_a_number_of_tasks_even_if_none_was_wanted(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockstep.array.pages.MOST_EXAMINED", 4)
    monkeypatch.setattr("lockstep.array.pages.KEYS_PER_READ", 2)
    life = Life(player, 10)
    tasks = [task_id for task_id, _ in life.bind().values()]
    life.finish(*life.queue(tasks[-1:]))
    found = [[row["task_id"] for row in page] for page in pages(player, f"arrays/{life.array}/tasks", status="D")]
    assert found == [[], [], tasks[-1:]]


def of_another_array(life: Life, ranges: int) -> None:
    """Ranges of ids, each of one task of another array, before those of the workflow's own."""
    with request(60):
        put_many(TaskRange(*TaskRange.key(life.id, first), size=1, arrays=[[7, 1]]) for first in range(1, ranges + 1))


@pytest.mark.parametrize("limit", [1, 100])
def test_a_page_ends_after_a_number_of_ranges_of_other_arrays(
    player: Player, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr("lockstep.array.pages.MOST_RANGES", 10)
    life = Life(player, 2)
    tasks = [task for task, _ in life.bind().values()]
    of_another_array(life, 35)
    found = [[row["task_id"] for row in page] for page in pages(player, f"arrays/{life.array}/tasks", limit=limit)]
    assert found[:3] == [[], [], []], "each page looks at ten ranges, one of them again"
    assert [task for page in found for task in page] == tasks


def test_a_page_whose_time_is_up_still_passes_a_range(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    life = Life(player, 2)
    tasks = [task for task, _ in life.bind().values()]
    of_another_array(life, 5)
    monkeypatch.setattr("lockstep.clock.Deadline.spent", lambda *_: True)
    assert ids(player, life.array) == tasks


def test_a_page_reads_no_ranges_before_its_cursor(player: Player) -> None:
    life = Life(player, 2)
    first, second = [task for task, _ in life.bind().values()]
    of_another_array(life, 500)
    meter = Meter()
    meter.attach()
    page = get(player, f"arrays/{life.array}/tasks?cursor={first}")
    assert [row["task_id"] for row in page["tasks"]] == [second]
    assert meter.usage()["read_units"] <= 3


@pytest.mark.parametrize(
    ("limit", "flag"), [("MOST_RANGES", "more_tasks"), ("MOST_LISTED", "more_batches"), ("", "more_tasks")]
)
def test_what_is_not_counted_is_said(player: Player, monkeypatch: pytest.MonkeyPatch, limit: str, flag: str) -> None:
    life = Life(player, 2)
    life.queue(task for task, _ in life.bind().values())
    of_another_array(life, 1)
    shown = get(player, f"workflows/{life.id}")
    assert (shown["more_tasks"], shown["more_batches"]) == (False, False)
    if limit:
        monkeypatch.setattr(counts, limit, 1)
    else:
        monkeypatch.setattr("lockstep.clock.Deadline.spent", lambda *_: True)
    assert get(player, f"workflows/{life.id}")[flag]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("workflows?cursor=-1", "cursor"),
        ("workflows?cursor=1_0", "cursor"),
        ("workflows?limit=1.0", "limit"),
        ("workflows?limit=0", "limit"),
        ("workflows?limit=101", "limit"),
        ("workflows?status=X", "status.0"),
        ("arrays/1/tasks?cursor=a", "cursor"),
        ("arrays/1/tasks?cursor=1-2-3", "cursor"),
        ("arrays/1/tasks?status=RUNNING", "status"),
        ("workflows?" + "&".join(f"user={number}" for number in range(51)), "user"),
    ],
)
def test_what_does_not_fit_is_named(player: Player, path: str, field: str) -> None:
    status, problem = send(player, path)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, [field])


@pytest.mark.parametrize(("status", "cursor"), [("F", "7"), ("R", "7"), ("D", "1-2"), ("", "1-2")])
def test_a_cursor_of_another_list_is_refused(player: Player, status: str, cursor: str) -> None:
    life = Life(player, 1)
    query = f"cursor={cursor}" + (f"&status={status}" if status else "")
    refused, problem = send(player, f"arrays/{life.array}/tasks?{query}")
    assert (refused, [error["field"] for error in problem["errors"]]) == (422, ["cursor"])


def bind_workflow(player: Player, name: str, user: str | None = None) -> int:
    body = {**workflow_key(player), "workflow_args_hash": "1", "task_hash": str(len(name)), "name": name}
    workflow_id = int(ask(player, Request("POST", "/workflow", body))["workflow_id"])
    if user is not None:
        ask(player, requests.bind_tasks(workflow_id, []))
        assert ask(player, requests.create_run(workflow_id, 90, user))["status"] == "L"
    return workflow_id


def listed(player: Player, query: str = "") -> list[int]:
    return [row["workflow_id"] for row in get(player, f"workflows?{query}")["workflows"]]


def test_workflows_are_listed_newest_first_and_by_what_is_asked(player: Player) -> None:
    first = bind_workflow(player, "Malaria 2026", "ann")
    second = bind_workflow(player, "malaria, again", "bob")
    third = bind_workflow(player, "measles")
    assert listed(player) == [third, second, first]
    assert listed(player, "name=MALARIA") == [second, first]
    assert listed(player, "user=ann&user=zoe") == [first]
    assert listed(player, "status=G&name=measles") == [third]
    assert listed(player, "status=D&status=F") == []
    assert listed(player, "limit=1") == [third]
    assert listed(player, f"cursor={third}&limit=1") == [second]
    assert listed(player, f"cursor={first}") == []


def test_a_list_keeps_the_beginnings_of_long_names(player: Player) -> None:
    name, user = "é" * 500, "u" * 100
    number = bind_workflow(player, name, user)
    [row] = get(player, "workflows")["workflows"]
    assert (row["name"], row["user"]) == ("é" * (MAX_TITLE_BYTES // 2), "u" * MAX_USER_BYTES)
    assert listed(player, f"user={user}") == [number]
    assert listed(player, f"name={name}") == [number]
    assert get(player, f"workflows/{number}")["name"] == name


def test_a_page_of_workflows_ends_after_a_number_of_them(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_EXAMINED", 2)
    numbers = [bind_workflow(player, "x" * length) for length in range(1, 6)]
    found = [[row["workflow_id"] for row in page] for page in pages(player, "workflows", name="xxxxx")]
    assert found == [[numbers[4]], [], []]


def test_each_attempt_says_why_it_is_where_it_is(player: Player) -> None:
    life = Life(player, 1)
    [(task, _)] = life.bind(max_attempts=2).values()
    life.fail(*life.queue([task]))
    life.start(*life.queue([task]))
    shown = get(player, f"tasks/{task}")
    assert [attempt["reason"] for attempt in shown["attempts"]] == ["the worker node started", "the command failed"]
    newest, oldest = shown["attempts"]
    assert (newest["ended"], oldest["ended"], newest["overdue"]) == (False, True, False)
    assert newest["queued_date"] < newest["started_date"] <= newest["status_date"] < newest["report_by_date"]
    life.hears(newest["task_instance_id"], "log_report_by", next_report_increment=-1)
    assert get(player, f"tasks/{task}")["attempts"][0]["overdue"]
    life.sweep()
    assert get(player, f"tasks/{task}")["attempts"][0]["reason"] == "its heartbeat is overdue"


def test_the_newest_attempts_are_shown_and_the_others_counted(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lockstep.task.attempts.MOST_ATTEMPTS", 2)
    life = Life(player, 1)
    [(task, _)] = life.bind(max_attempts=3).values()
    instances = []
    for _ in range(3):
        [instance] = life.queue([task])
        life.fail(instance)
        instances.append(instance)
    shown = get(player, f"tasks/{task}")
    assert [attempt["task_instance_id"] for attempt in shown["attempts"]] == instances[:0:-1]
    assert shown["left_out"] == 1


def large_workflow(failed: int) -> int:
    """A workflow of 100,000 tasks in 4 arrays that runs; some have failed."""
    number, at = 5_000, now()
    first = 500_000_001
    put: list[Item] = [items.workflow(number, "R", num_tasks=TASKS)]
    for position in range(TASKS // PER_BATCH):
        array, batch_num = 10 + position % 4, position // 4 + 1
        arrays = [[array, PER_BATCH]]
        put.append(TaskRange(*TaskRange.key(number, first + position * PER_BATCH), size=PER_BATCH, arrays=arrays))
        seen = {"seen": "D" * (PER_BATCH - 100) + "R" * 100, "attention": "L#00000000001500", "noted_at": at}
        put.append(items.batch(array, batch_num, PER_BATCH, workflow_id=number, **seen))
    named = {"name": "a" * 1_000, "title": "a" * MAX_TITLE_BYTES}
    put += [items.array(array, workflow_id=number, num_batches=50, **named) for array in range(10, 14)]
    for position in range(failed):
        part = feed_key(number, position * 13)
        listed = {"feed": part, "listed_in": part, "listed_as": failed_key(at, first + position)}
        failure = {"array_id": 10, "workflow_id": number, "short_name": "t" * MAX_TITLE_BYTES, **listed}
        put.append(items.task(first + position, "F", status_date=at, **failure))
    with request(60):
        put_many(put)
    return number


@pytest.mark.parametrize("failed", [0, 3, counts.MOST_FAILED + 100])
def test_the_counts_of_100_000_tasks_cost_50_read_units_at_most(player: Player, failed: int) -> None:
    number = large_workflow(failed)
    meter = Meter()
    meter.attach()
    view = get(player, f"workflows/{number}")
    assert meter.usage()["read_units"] <= MOST_UNITS
    assert meter.usage()["write_units"] == 0
    by_status = view["tasks_by_status"]
    assert sum(by_status.values()) == TASKS
    assert view["more_failed"] is (failed > counts.MOST_FAILED)
    assert by_status["D"] == TASKS // PER_BATCH * 400
    assert by_status["F"] == min(failed, counts.MOST_FAILED)
    assert [array["num_tasks"] for array in view["arrays"]] == [TASKS // 4] * 4


def test_a_page_of_what_runs_costs_what_it_shows(player: Player) -> None:
    number = large_workflow(0)
    meter = Meter()
    meter.attach()
    assert get(player, "arrays/12/tasks?status=R&limit=50")["tasks"] == [], "the batches name no instances"
    assert meter.usage()["read_units"] < MOST_UNITS, f"of workflow {number}, whatever its size"
