"""A bulk call that cannot do all within its time does a part, and the same call again begins at the rest.

In virtual time, where every request to DynamoDB takes a second: a call sends about ten.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from threading import Semaphore
from typing import Any, Final, Self

import pytest

from local.seed import Seed, load
from lockstep.array.item import Batch
from lockstep.array.run_index import read_due
from lockstep.clock import BULK_BUDGET_SECONDS
from lockstep.context import PARALLEL, request, slots
from lockstep.dynamodb.parallel import run_parallel
from lockstep.dynamodb.reads import fetch
from lockstep.errors import ContentionError
from lockstep.fsm.statuses import TaskStatus
from lockstep.task.item import Task
from lockstep.workflow import left
from lockstep.workflow.cursor import CURSOR_SECONDS, task_groups
from lockstep.workflow.item import PassedTasks, RunOfWorkflow
from lockstep.workflow.read import read_workflow
from lockstep.workflow_run.sweep import ABANDONED_SECONDS
from tests.conformance.recording import Player, put
from tests.support.memory import VirtualTime, running_on
from tests.support.memory.boundary import Memory, answered_by
from tests.support.memory.operations import Reply
from tests.support.memory.threads import threads_are

TRIES: Final = 10
"""Of Jobmon's client."""
LUCK: Final = 100
"""Calls that begin at a random one of 8 parts leave one out with a chance of 1 in 80,000."""
STEPS: Final = 400
ARRAY: Final = 7
RUN: Final = 9
SMALL: Final = {
    "lockstep.array.portions.STEPS_PER_PORTION": 50,
    "lockstep.array.portions.STEPS_PER_GROUP": 50,
    "lockstep.workflow.cursor.GROUP": 50,
    "lockstep.workflow.left.KEYS_PER_READ": 20,
    "lockstep.workflow.left.READ_AT_ONCE": 50,
    "lockstep.workflow_run.instantiate.TAKEN_AT_ONCE": 50,
    "lockstep.workflow_run.sweep._SETTLED_AT_ONCE": 50,
    "lockstep.workflow_run.poll._READ_AT_ONCE": 50,
    "lockstep.workflow_run.poll.MOST_READ": 200,
    "lockstep.task_instance.bulk.WRITTEN_UNREAD": 100,
    "lockstep.dynamodb.puts.PUT_UNREAD": 100,
}
"""So that hundreds are as many as hundreds of thousands."""


class InTurn:
    """Stands in for a pool of threads: one piece after another."""

    def __init__(self, _: int) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, work: Callable[..., Any], *pieces: Iterable[Any]) -> list[Any]:
        """Work on each."""
        return [work(*each) for each in zip(*pieces, strict=True)]


class Slow:
    """A table of which every request takes time, and what it was asked."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.clock = VirtualTime()
        self.seconds = 0.0
        self.asked: Counter[str] = Counter()
        self.player = Player()

    def answer(self, operation: str, request: dict[str, Any]) -> Reply:
        self.clock.sleep(self.seconds)
        self.asked[operation] += 1
        return self.memory.answer(operation, request)

    def call(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        """Call a route, and hold it to its time."""
        began = self.clock.passed
        answered = self.player.send(method, f"/api/v3{path}", None if body is None else json.dumps(body), **query)
        assert self.clock.passed - began <= BULK_BUDGET_SECONDS + 1
        return answered

    def statuses(self) -> str:
        """The status of each instance, in order."""
        found = {
            int(pk.removeprefix("TASK#")): item["status"]["S"]
            for (pk, sk), item in self.memory.items.items()
            if sk == "TI#001"
        }
        return "".join(found[number] for number in sorted(found))


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    for name, value in SMALL.items():
        monkeypatch.setattr(name, value)
    random.seed(1)
    made = Slow()
    with running_on(made.clock), threads_are(InTurn), answered_by(made.answer):
        yield made


def fill(slow: Slow, status: str, task_status: str, *, own_sets: bool = False, **instance: Any) -> list[int]:
    """One batch of STEPS instances; every further request takes a second."""
    tasks = [
        {
            "task_id": number,
            "status": task_status,
            "num_attempts": 1,
            "max_attempts": 3,
            "workflow_id": ARRAY,
            "array_id": ARRAY,
            "name": "t",
            "command": "true",
            "task_resources_id": number if own_sets else 1,
        }
        for number in range(1, STEPS + 1)
    ]
    instances = [
        {
            "task_instance_id": number * 1000 + 1,
            "status": status,
            "workflow_run_id": RUN,
            "array_id": ARRAY,
            "array_batch_num": 1,
            "array_step_id": number - 1,
            "task_resources_id": 1,
            **instance,
        }
        for number in range(1, STEPS + 1)
        if status
    ]
    array = {
        "array_id": ARRAY,
        "name": "a",
        "workflow_id": ARRAY,
        "task_template_version_id": 1,
        "max_concurrently_running": 9,
    }
    workflow = {"workflow_id": ARRAY}
    load(Seed.model_validate({"workflows": [workflow], "arrays": [array], "tasks": tasks, "task_instances": instances}))
    slow.seconds = 1.0
    return [number * 1000 + 1 for number in range(1, STEPS + 1)]


MOVES: Final[dict[str, tuple[str, str, str, str, Any, str]]] = {
    "transition_to_launched": (
        "I",
        "I",
        "POST",
        f"/array/{ARRAY}/transition_to_launched",
        {"batch_number": 1, "next_report_increment": 279},
        "O",
    ),
    "transition_to_killed": ("K", "R", "POST", f"/array/{ARRAY}/transition_to_killed", {"batch_number": 1}, "F"),
    "terminate_task_instances": ("R", "R", "PUT", f"/workflow_run/{RUN}/terminate_task_instances", {}, "K"),
}


@pytest.mark.parametrize("route", MOVES)
def test_a_large_batch_moves_in_parts(slow: Slow, route: str) -> None:
    status, task_status, method, path, body, target = MOVES[route]
    fill(slow, status, task_status)
    moved = 0
    tries = 0
    while moved < STEPS and tries < TRIES:
        tries += 1
        code, _ = slow.call(method, path, body)
        before, moved = moved, slow.statuses().count(target)
        assert moved > before, "each call does a part"
        assert code == (200 if moved == STEPS else 503)
    assert moved == STEPS
    assert tries > 1, "it is more than a call can do"


def status_of_tasks(slow: Slow) -> str:
    return "".join(item["status"]["S"] for (_, sk), item in sorted(slow.memory.items.items()) if sk == "TASK")


OF_ALL_TASKS: Final[dict[str, tuple[str, Any, str, int, float]]] = {
    "set_resume_state": (f"/task/{ARRAY}/set_resume_state", {"reset_if_running": True}, "G", 1, 0.5),
    "increase_resources": (f"/workflow/{ARRAY}/increase_resources", {}, "E", 3, 0.05),
}
"""With the seconds that a request takes, and the reads of a group: tasks, instances, resources. Each call reads
the workflow too, and the group in which the call before it ended."""


@pytest.mark.parametrize("route", OF_ALL_TASKS)
def test_all_tasks_of_a_workflow_move_in_parts_each_of_them_once(slow: Slow, route: str) -> None:
    path, body, target, reads, slow_by = OF_ALL_TASKS[route]
    fill(slow, "Z", "F")
    slow.seconds, slow.asked = slow_by, Counter()
    codes, moved = [503], [0]
    while codes[-1] == 503 and len(codes) < TRIES:
        codes.append(slow.call("POST", path, body)[0])
        moved.append(status_of_tasks(slow).count(target))
        assert moved[-1] > moved[-2], "each call does a part"
    assert codes[-1] == 200
    assert moved[-1] == STEPS
    assert len(codes) > 2, "it is more than a call can do"
    groups, calls = STEPS // 50, len(codes) - 1
    assert slow.asked["BatchGetItem"] <= reads * (groups + calls - 1) + calls, "no call begins again"


def test_tasks_that_had_sets_of_their_own_grow_in_parts(slow: Slow) -> None:
    fill(slow, "Z", "F", own_sets=True)
    slow.seconds = 0.12
    codes, moved = [503], [0]
    while codes[-1] == 503 and len(codes) < TRIES:
        codes.append(slow.call("POST", f"/workflow/{ARRAY}/increase_resources", {})[0])
        moved.append(status_of_tasks(slow).count("E"))
        assert moved[-1] > moved[-2], "each call does a part"
    assert (codes[-1], moved[-1]) == (200, STEPS)


def test_after_a_link_a_call_about_all_tasks_begins_again(slow: Slow) -> None:
    path, body, _, _, slow_by = OF_ALL_TASKS["set_resume_state"]
    fill(slow, "Z", "F")
    slow.seconds = slow_by
    assert slow.call("POST", path, body)[0] == 503
    slow.seconds = 0.0
    run = {"workflow_id": ARRAY, "next_report_increment": 90}
    number = slow.call("POST", "/workflow_run", run)[1]["workflow_run_id"]
    for status in "BE":
        assert slow.call("PUT", f"/workflow_run/{number}/update_status", {"status": status})[0] == 200
    with request():
        put(Task(*Task.key(1)), TaskStatus.ERROR_FATAL)
    assert slow.call("POST", path, body) == (200, {})
    assert status_of_tasks(slow) == "G" * STEPS


def test_a_call_about_all_tasks_goes_on_once_it_has_ended_a_late_run(slow: Slow) -> None:
    fill(slow, "Z", "F")
    slow.seconds = 0.0
    assert slow.call("POST", "/workflow_run", {"workflow_id": ARRAY, "next_report_increment": 90})[0] == 200
    slow.clock.sleep(91)
    path, body, *_ = OF_ALL_TASKS["set_resume_state"]
    assert slow.call("POST", path, body) == (200, {})
    assert status_of_tasks(slow) == "G" * STEPS


def test_a_call_about_all_tasks_ends_once_a_run_is_linked(slow: Slow) -> None:
    fill(slow, "Z", "F")
    slow.seconds = 0.0
    with request():
        groups = task_groups(ARRAY, read_workflow(ARRAY), "of a test")
        assert len(next(groups)) == 50
    assert slow.call("POST", "/workflow_run", {"workflow_id": ARRAY, "next_report_increment": 90})[0] == 200
    with request(), pytest.raises(ContentionError):
        next(groups)
    with request():
        assert read_workflow(ARRAY).cursor is None


PAGE: Final = {"max_task_id": "0", "chunk_size": "3"}


def set_left(*left: int) -> None:
    """Put the tasks of the batch into DONE, but for some."""
    with request(60):
        for number in range(1, STEPS + 1):
            put(Task(*Task.key(number)), TaskStatus.ERROR_FATAL if number in left else TaskStatus.DONE)


@pytest.mark.parametrize("left", [(10, 180, 390, 400), (10, 390), (), (390, 395, 400), tuple(range(300, 400))])
def test_the_tasks_behind_many_that_are_done_are_found_in_the_end(slow: Slow, left: tuple[int, ...]) -> None:
    fill(slow, "D", "D")
    slow.seconds = 0.0
    set_left(*left)
    slow.seconds, slow.asked = 0.7, Counter()
    codes: list[int] = []
    reply: Any = None
    while not codes or (codes[-1] == 503 and len(codes) < TRIES):
        code, reply = slow.call("GET", f"/workflow/get_tasks/{ARRAY}", **PAGE)
        codes.append(code)
    assert codes == [503] * (len(codes) - 1) + [200]
    assert len(codes) > 1, "it is more than a call can do"
    assert [int(task_id) for task_id in reply["tasks"]] == list(left[:3])
    assert slow.asked["BatchGetItem"] <= STEPS // 50 + 8 * len(codes), "no call begins again"


def test_a_smaller_page_finds_what_a_larger_ones_search_has_not_noted(slow: Slow) -> None:
    fill(slow, "D", "D")
    slow.seconds = 0.0
    set_left(10, 160, 170, 390)
    slow.seconds = 1.0
    assert slow.call("GET", f"/workflow/get_tasks/{ARRAY}", max_task_id="0", chunk_size="200")[0] == 503
    slow.seconds = 0.0
    code, reply = slow.call("GET", f"/workflow/get_tasks/{ARRAY}", **PAGE)
    assert (code, list(reply["tasks"])) == (200, ["10", "160", "170"])


def test_what_a_search_notes_fits_its_item(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(slow, "D", "D")
    slow.seconds = 0.0
    set_left(*range(201, 401))
    monkeypatch.setattr(left, "MOST_NOTED", 20)
    slow.seconds = 1.3
    page = {"max_task_id": "0", "chunk_size": "200"}
    assert slow.call("GET", f"/workflow/get_tasks/{ARRAY}", **page)[0] == 503
    key = PassedTasks.key(ARRAY, 0)
    with request():
        noted = PassedTasks.from_raw_data(fetch([key], consistent=True)[key])
    assert (noted.since, noted.reached, noted.left) == (201, 220, list(range(201, 221)))


def test_a_task_that_has_ended_between_two_tries_is_not_on_the_page(slow: Slow) -> None:
    fill(slow, "D", "D")
    slow.seconds = 0.0
    set_left(30, 390)
    slow.seconds = 1.0
    assert slow.call("GET", f"/workflow/get_tasks/{ARRAY}", **PAGE)[0] == 503
    slow.seconds = 0.0
    set_left(390)
    code, reply = slow.call("GET", f"/workflow/get_tasks/{ARRAY}", **PAGE)
    assert (code, list(reply["tasks"])) == (200, ["390"])


def test_a_search_that_was_given_up_long_ago_begins_again(slow: Slow) -> None:
    fill(slow, "D", "D")
    slow.seconds = 0.0
    set_left(400)
    slow.seconds = 1.0
    assert slow.call("GET", f"/workflow/get_tasks/{ARRAY}", **PAGE)[0] == 503
    slow.seconds = 0.0
    slow.clock.sleep(CURSOR_SECONDS + 1)
    slow.asked = Counter()
    assert list(slow.call("GET", f"/workflow/get_tasks/{ARRAY}", **PAGE)[1]["tasks"]) == ["400"]
    assert slow.asked["BatchGetItem"] > STEPS // 50, "what others may have bound since is looked at"


@pytest.mark.parametrize("left", [(), (400,), (1,)])
def test_whether_all_is_done_is_known_in_the_end(slow: Slow, left: tuple[int, ...]) -> None:
    fill(slow, "D", "D")
    slow.seconds = 0.0
    set_left(*left)
    run = {"workflow_id": ARRAY, "next_report_increment": 1_000_000}
    number = slow.call("POST", "/workflow_run", run)[1]["workflow_run_id"]
    for status in "BIOR":
        slow.call("PUT", f"/workflow_run/{number}/update_status", {"status": status})
    slow.call("POST", f"/workflow/{ARRAY}/set_resume", {"reset_running_jobs": True})
    slow.seconds = 1.0
    codes: list[int] = []
    reply: Any = None
    while not codes or (codes[-1] == 503 and len(codes) < TRIES):
        code, reply = slow.call("PUT", f"/workflow_run/{number}/update_status", {"status": "D"})
        codes.append(code)
    assert codes == [503] * (len(codes) - 1) + [200]
    assert reply == {"status": "C" if left else "D"}
    assert (len(codes) > 1) == (left != (1,)), "the first task that is left ends the search"


def test_a_sweep_moves_a_part_of_what_is_overdue_and_the_next_one_the_rest(slow: Slow) -> None:
    fill(slow, "R", "R", report_by_in=-1)
    silent = STEPS
    for _ in range(TRIES):
        code, _ = slow.call("POST", f"/workflow_run/{RUN}/set_status_for_triaging", {})
        assert code == 200
        before, silent = silent, slow.statuses().count("R")
        if not silent:
            break
        assert silent < before, "each sweep does a part"
    assert slow.statuses() == "T" * STEPS


def test_sweeps_settle_more_than_they_list(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lockstep.array.run_index.MOST_INDEXED", 150)
    fill(slow, "K", "R", report_by_in=1)
    slow.clock.sleep(ABANDONED_SECONDS + 1)
    slow.seconds = 0.1
    sweeps = 0
    while left := slow.statuses().count("K"):
        assert slow.call("POST", f"/workflow_run/{RUN}/set_status_for_triaging", {})[0] == 200
        assert slow.statuses().count("K") < left, "each sweep does a part"
        sweeps += 1
    assert sweeps > 2


def test_a_batch_is_due_however_many_instances_are_flagged(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(slow, "K", "R")
    slow.seconds = 0.0
    slow.clock.sleep(1_000)
    with request():
        all_of_them = read_due(RUN, slow.clock.time())
        batches = [batch.pk for batch in all_of_them.batches]
    assert (len(all_of_them.instances), batches) == (STEPS, [Batch.key(ARRAY, 1).pk])
    for most in (1, STEPS - 1, STEPS):
        monkeypatch.setattr("lockstep.array.run_index.MOST_INDEXED", most)
        with request():
            some = read_due(RUN, slow.clock.time())
            assert [batch.pk for batch in some.batches] == batches
            assert some.instances == all_of_them.instances[:most]


def test_a_cleanup_ends_a_part_of_what_is_left_and_the_next_one_the_rest(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockstep.workflow_run.handover.MOST_INDEXED", 150)
    monkeypatch.setattr("lockstep.array.run_index.MOST_INDEXED", 150)
    monkeypatch.setattr("lockstep.workflow_run.handover.ENDED_AT_ONCE", 33)
    fill(slow, "K", "R")
    with request():
        RunOfWorkflow(*RunOfWorkflow.key(ARRAY, RUN)).save()
    codes, left = [503], [STEPS]
    while codes[-1] == 503 and len(codes) <= TRIES:
        codes.append(slow.call("POST", f"/workflow/{ARRAY}/force_cleanup_kill_self", {})[0])
        left.append(slow.statuses().count("K"))
        assert left[-1] < left[-2], "each call does a part"
    assert (codes[-1], left[-1]) == (200, 0)
    assert len(codes) > 3, "it is more than a call lists"


@pytest.mark.parametrize("known", [0, 250])
def test_polls_hear_of_flagged_instances_behind_those_that_they_list(slow: Slow, known: int) -> None:
    ids = fill(slow, "T", "R")
    slow.seconds = 0.3
    listed = ids[:known]
    for _ in range(TRIES):
        body = {"task_instance_ids": listed, "status": "T"}
        code, reply = slow.call("POST", f"/workflow_run/{RUN}/sync_status", body)
        told = reply["status_updates"].get("T", [])
        assert code == 200
        assert told, "each poll tells a part"
        listed = listed + told
        if len(listed) == STEPS:
            break
    assert sorted(listed) == ids


def test_a_sweep_finds_the_silent_one_among_more_than_it_can_read(slow: Slow) -> None:
    ids = fill(slow, "R", "R", report_by_in=100)
    slow.seconds = 0.0
    slow.clock.sleep(90)
    for number in ids[:-1]:
        slow.call("POST", f"/task_instance/{number}/log_report_by", {"next_report_increment": 279})
    slow.clock.sleep(20)
    slow.seconds = 1.0
    swept = 0
    while "T" not in slow.statuses() and swept < LUCK:
        assert slow.call("POST", f"/workflow_run/{RUN}/set_status_for_triaging", {})[0] == 200
        swept += 1
    assert slow.statuses() == "R" * (STEPS - 1) + "T"


def test_instantiate_tells_what_it_took_and_takes_the_rest_when_it_is_listed(slow: Slow) -> None:
    left = fill(slow, "Q", "Q")
    for _ in range(TRIES):
        code, reply = slow.call("POST", "/task_instance/instantiate_task_instances", {"task_instance_ids": left})
        assert code == 200
        told = {number for *_, members in reply["task_instance_batches"] for number in members}
        assert told, "each call does a part"
        left = [number for number in left if number not in told]
        if not left:
            break
    assert slow.statuses() == "I" * STEPS


def test_instantiate_again_writes_nothing(slow: Slow) -> None:
    ids = fill(slow, "I", "I")[:50]
    before = slow.memory.items
    code, reply = slow.call("POST", "/task_instance/instantiate_task_instances", {"task_instance_ids": ids})
    assert (code, reply["task_instance_batches"]) == (200, [[ARRAY, "a", 1, 1, ids]])
    assert slow.memory.items == before


def test_a_large_queueing_is_done_in_parts(slow: Slow) -> None:
    tasks = [number // 1000 for number in fill(slow, "", "G")]
    body = {"task_ids": tasks, "task_resources_id": 1, "workflow_run_id": RUN}
    queued = 0
    for _ in range(TRIES):
        code, reply = slow.call("POST", f"/array/{ARRAY}/queue_task_batch", body)
        before, queued = queued, sum(sk == "TI#001" for _, sk in slow.memory.items)
        if code == 200:
            break
        assert code == 503
        assert queued > before, "each call does a part"
    assert (code, reply) == (200, {"tasks_by_status": {"Q": tasks}})


def test_a_large_binding_is_done_in_parts(slow: Slow) -> None:
    fill(slow, "", "G")
    slow.seconds = 0.5  # to recognise what is bound takes ten requests
    tasks = {f"n{number}": [number, "h", ARRAY, 1, "t", "true", 3] for number in range(1, STEPS + 1)}
    bound = 0
    for _ in range(TRIES):
        code, reply = slow.call("PUT", "/task/bind_tasks_no_args", {"workflow_id": ARRAY, "tasks": tasks})
        before, bound = bound, sum(pk.startswith("TASKOF#") for pk, _ in slow.memory.items)
        if code == 200:
            break
        assert code == 503
        assert bound > before, "each call does a part"
    assert code == 200
    assert {status for _, status in reply["tasks"].values()} == {"G"}
    assert bound == STEPS


def test_many_heartbeats_are_moved_in_parts(slow: Slow) -> None:
    ids = fill(slow, "O", "O", report_by_in=10)
    body = {"task_instance_ids": ids, "next_report_increment": 279}
    calls = 0
    while calls < LUCK:
        report_by = [float(item["report_by"]["N"]) for (_, sk), item in slow.memory.items.items() if sk == "TI#001"]
        if min(report_by) > slow.clock.time() + 100:
            break
        assert slow.call("POST", "/task_instance/log_report_by/batch", body) == (200, {})
        calls += 1
    assert 1 < calls < LUCK


MANY_TO_PUT: Final[dict[str, tuple[str, Any]]] = {
    "ATTRIBUTE#": (
        "/task/bind_task_attributes",
        {"task_attributes": {number: {"a": "b", "none": None} for number in range(1, STEPS + 1)}},
    ),
    "ARGUMENTS#": ("/task/bind_task_args", {"task_args": [[number * 500, 7, "x"] for number in range(1, STEPS + 1)]}),
    "EDGE#": (
        "/dag/77/edges",
        {
            "mark_created": True,
            "edges_to_add": [
                {"node_id": number, "upstream_node_ids": None, "downstream_node_ids": [1, 2]}
                for number in range(1, STEPS + 1)
            ],
        },
    ),
}


@pytest.mark.parametrize("retention", [0, 30])
@pytest.mark.parametrize("kind", MANY_TO_PUT)
def test_much_that_tasks_are_noted_with_is_put_in_parts(
    slow: Slow, kind: str, retention: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockstep.clock.RETENTION_DAYS", retention)
    path, body = MANY_TO_PUT[kind]
    fill(slow, "", "G")
    slow.call("POST", "/dag", {"dag_hash": 77})
    slow.seconds, slow.asked = 0.7, Counter()
    wanted = STEPS * (2 if kind == "ATTRIBUTE#" else 1)
    codes, put_so_far = [503], 0
    while codes[-1] == 503 and len(codes) <= TRIES:
        codes.append(slow.call("POST" if kind == "EDGE#" else "PUT", path, body)[0])
        before, put_so_far = put_so_far, sum(kind in "".join(key) for key in slow.memory.items)
        assert put_so_far > before, "each call does a part"
    assert (codes[-1], put_so_far) == (200, wanted)
    assert len(codes) > 2, "it is more than a call can do"
    assert slow.asked["BatchWriteItem"] <= wanted // 25 + len(codes), "what is put is not put again"


def test_of_much_that_tasks_are_noted_with_what_differs_is_put_again(slow: Slow) -> None:
    fill(slow, "", "G")
    slow.seconds = 0.0
    for value in ("first", "second"):
        noted = {number: {"a": value} for number in range(1, STEPS + 1)}
        assert slow.call("PUT", "/task/bind_task_attributes", {"task_attributes": noted})[0] == 200
        stored = [item["value"]["S"] for (_, sk), item in slow.memory.items.items() if sk == "ATTRIBUTE#a"]
        assert stored == [value] * STEPS


def test_of_much_that_expires_all_is_put_again_by_a_later_call(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lockstep.clock.RETENTION_DAYS", 30)
    path, body = MANY_TO_PUT["ATTRIBUTE#"]
    fill(slow, "", "G")
    slow.seconds, expiries = 0.0, []
    for _ in range(2):
        assert slow.call("PUT", path, body)[0] == 200
        expiries.append({item["expires_at"]["N"] for (_, sk), item in slow.memory.items.items() if "ATTR" in sk})
        slow.clock.sleep(1_000)
    assert all(len(of_call) == 1 for of_call in expiries)
    assert expiries[0] != expiries[1]


def test_many_distributor_ids_are_stored_in_parts(slow: Slow) -> None:
    ids = {str(number): f"7_{number}" for number in fill(slow, "O", "O")}
    stored = 0
    for _ in range(TRIES):
        code, _ = slow.call("POST", f"/array/{ARRAY}/log_distributor_id", ids)
        before, stored = stored, sum("distributor_id" in item for item in slow.memory.items.values())
        assert stored > before, "each call does a part"
        if code == 200:
            break
        assert code == 503
    assert (code, stored) == (200, STEPS)


def test_polls_tell_of_a_large_batch_in_parts(slow: Slow) -> None:
    ids = fill(slow, "Q", "Q")
    listed: list[int] = []
    polls = 0
    while len(listed) < STEPS and polls < LUCK:
        body = {"task_instance_ids": listed, "status": "Q"}
        code, reply = slow.call("POST", f"/workflow_run/{RUN}/sync_status", body)
        assert code == 200
        listed += reply["status_updates"].get("Q", [])
        polls += 1
    assert polls > 1
    assert sorted(listed) == ids


def test_polls_that_list_more_than_they_read_hear_of_each_in_the_end(slow: Slow) -> None:
    left = fill(slow, "D", "D")
    polls = 0
    while left and polls < LUCK:
        code, reply = slow.call("POST", f"/workflow_run/{RUN}/sync_status", {"task_instance_ids": left, "status": "R"})
        assert code == 200
        told = set(reply["status_updates"]["D"])
        assert told, "each poll tells a part"
        left = [number for number in left if number not in told]
        polls += 1
    assert not left
    assert polls > 1


def test_what_has_moved_is_remembered_by_its_batch(slow: Slow) -> None:
    fill(slow, "R", "R")
    slow.call("PUT", f"/workflow_run/{RUN}/terminate_task_instances", {})
    seen = slow.memory.items[Batch.key(ARRAY, 1)]["seen"]["S"]
    assert seen.count("K") == slow.statuses().count("K") > 0


def test_all_threads_of_a_request_share_its_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lockstep.dynamodb.parallel.connect", lambda: None)
    with request():
        held_by = run_parallel(lambda _: run_parallel(lambda _: slots(), "cd"), "ab")
    [shared] = {id(each): each for each in chain(*held_by)}.values()
    assert isinstance(shared, Semaphore)
    assert [shared.acquire(blocking=False) for _ in range(PARALLEL + 1)] == [True] * PARALLEL + [False]
