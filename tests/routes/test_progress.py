"""What happens between two tries of a bulk call that cannot do all within its time: it goes on, or begins again.

In virtual time, where every request to DynamoDB takes up to a second. test_parts.py holds each bulk route.
"""

from itertools import chain
from threading import Semaphore
from typing import Final

import pytest

from lockstep.array.item import Batch
from lockstep.array.run_index import read_due
from lockstep.context import PARALLEL, request, slots
from lockstep.dynamodb.parallel import run_parallel
from lockstep.dynamodb.reads import fetch
from lockstep.errors import ContentionError
from lockstep.fsm.statuses import TaskStatus
from lockstep.task.item import Task
from lockstep.workflow import left
from lockstep.workflow.cursor import CURSOR_SECONDS, task_groups
from lockstep.workflow.item import PassedTasks
from lockstep.workflow.read import read_workflow
from sim import requests
from tests.conformance.recording import put
from tests.support.slow import ARRAY, LUCK, RUN, STEPS, Slow, fill, in_parts

START_OVER: Final = requests.start_over(ARRAY)
LINK: Final = requests.create_run(ARRAY, 90)


def move(slow: Slow, run: int, *statuses: str) -> None:
    for status in statuses:
        slow.get(*requests.move_run(run, status))


def test_tasks_that_had_sets_of_their_own_grow_in_parts(slow: Slow) -> None:
    fill(slow, "Z", "F", own_sets=True)
    slow.seconds = 0.12
    slow.finish("POST", f"/workflow/{ARRAY}/increase_resources", {}, done=lambda: slow.tasks().count("E"))
    assert slow.tasks() == "E" * STEPS


def test_after_a_link_a_call_about_all_tasks_begins_again(slow: Slow) -> None:
    fill(slow, "Z", "F")
    slow.seconds = 0.5
    assert slow.call(*START_OVER)[0] == 503
    slow.seconds = 0.0
    move(slow, slow.get(*LINK)["workflow_run_id"], "B", "E")
    with request():
        put(Task(*Task.key(1)), TaskStatus.ERROR_FATAL)
    assert slow.call(*START_OVER) == (200, {})
    assert slow.tasks() == "G" * STEPS


def test_a_call_about_all_tasks_goes_on_once_it_has_ended_a_late_run(slow: Slow) -> None:
    fill(slow, "Z", "F")
    slow.seconds = 0.0
    slow.get(*LINK)
    slow.clock.sleep(91)
    assert slow.call(*START_OVER) == (200, {})
    assert slow.tasks() == "G" * STEPS


def test_a_call_about_all_tasks_ends_once_a_run_is_linked(slow: Slow) -> None:
    fill(slow, "Z", "F")
    slow.seconds = 0.0
    with request():
        groups = task_groups(ARRAY, read_workflow(ARRAY), "of a test")
        assert len(next(groups)) == 50
    slow.get(*LINK)
    with request(), pytest.raises(ContentionError):
        next(groups)
    with request():
        assert read_workflow(ARRAY).cursor is None


def set_left(*left: int) -> None:
    """Put the tasks of the batch into DONE, but for some."""
    with request(60):
        for number in range(1, STEPS + 1):
            put(Task(*Task.key(number)), TaskStatus.ERROR_FATAL if number in left else TaskStatus.DONE)


def all_done_but(slow: Slow, *left: int) -> None:
    fill(slow, "D", "D")
    slow.seconds = 0.0
    set_left(*left)
    slow.asked.clear()


def page(slow: Slow, seconds: float, size: int = 3) -> tuple[int, list[int]]:
    """How a page of the tasks that are left is answered, where a request takes some seconds: the code, and the ids."""
    slow.seconds = seconds
    code, reply = slow.call("GET", f"/workflow/get_tasks/{ARRAY}", max_task_id="0", chunk_size=str(size))
    return code, [int(number) for number in reply.get("tasks", ())]


@pytest.mark.parametrize("left", [(10, 180, 390, 400), (10, 390), (), (390, 395, 400), tuple(range(300, 400))])
def test_the_tasks_behind_many_that_are_done_are_found_in_the_end(slow: Slow, left: tuple[int, ...]) -> None:
    all_done_but(slow, *left)
    slow.seconds = 0.7
    calls, reply = slow.finish("GET", f"/workflow/get_tasks/{ARRAY}", max_task_id="0", chunk_size="3")
    assert calls > 1, "it is more than a call can do"
    assert [int(task_id) for task_id in reply["tasks"]] == list(left[:3])
    assert slow.asked["BatchGetItem"] <= STEPS // 50 + 8 * calls, "no call begins again"


def test_a_smaller_page_finds_what_a_larger_ones_search_has_not_noted(slow: Slow) -> None:
    all_done_but(slow, 10, 160, 170, 390)
    assert page(slow, 1.0, size=200)[0] == 503
    assert page(slow, 0.0) == (200, [10, 160, 170])


def test_what_a_search_notes_fits_its_item(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    all_done_but(slow, *range(201, 401))
    monkeypatch.setattr(left, "MOST_NOTED", 20)
    assert page(slow, 1.3, size=200)[0] == 503
    key = PassedTasks.key(ARRAY, 0)
    with request():
        noted = PassedTasks.from_raw_data(fetch([key], consistent=True)[key])
    assert (noted.since, noted.reached, noted.left) == (201, 220, list(range(201, 221)))


def test_a_task_that_has_ended_between_two_tries_is_not_on_the_page(slow: Slow) -> None:
    all_done_but(slow, 30, 390)
    assert page(slow, 1.0)[0] == 503
    slow.seconds = 0.0
    set_left(390)
    assert page(slow, 0.0) == (200, [390])


def test_a_search_that_was_given_up_long_ago_begins_again(slow: Slow) -> None:
    all_done_but(slow, 400)
    assert page(slow, 1.0)[0] == 503
    slow.clock.sleep(CURSOR_SECONDS + 1)
    slow.asked.clear()
    assert page(slow, 0.0) == (200, [400])
    assert slow.asked["BatchGetItem"] > STEPS // 50, "what others may have bound since is looked at"


@pytest.mark.parametrize("left", [(), (400,), (1,)])
def test_whether_all_is_done_is_known_in_the_end(slow: Slow, left: tuple[int, ...]) -> None:
    all_done_but(slow, *left)
    run = slow.get(*requests.create_run(ARRAY, 1_000_000))["workflow_run_id"]
    move(slow, run, *"BIOR")
    slow.get(*requests.set_resume(ARRAY, cold=True))
    slow.seconds = 1.0
    calls, reply = slow.finish(*requests.move_run(run, "D"))
    assert reply == {"status": "C" if left else "D"}
    assert (calls > 1) == (left != (1,)), "the first task that is left ends the search"


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


def test_a_sweep_finds_the_silent_one_among_more_than_it_can_read(slow: Slow) -> None:
    ids = fill(slow, "R", "R", report_by_in=100)
    slow.seconds = 0.0
    slow.clock.sleep(90)
    for number in ids[:-1]:
        slow.get(*requests.log_report_by(number, 279))
    slow.clock.sleep(20)
    slow.seconds = 1.0

    def finds_it() -> bool:
        slow.get(*requests.sweep(RUN))
        return "T" in slow.statuses()

    in_parts(finds_it, most=LUCK)
    assert slow.statuses() == "R" * (STEPS - 1) + "T"


def test_instantiate_again_writes_nothing(slow: Slow) -> None:
    ids = fill(slow, "I", "I")[:50]
    before = slow.memory.items
    reply = slow.get(*requests.instantiate(ids))
    assert reply["task_instance_batches"] == [[ARRAY, "a", 1, 1, ids]]
    assert slow.memory.items == before


ATTRIBUTES: Final = "/task/bind_task_attributes"


def test_of_much_that_tasks_are_noted_with_what_differs_is_put_again(slow: Slow) -> None:
    fill(slow, "", "G")
    slow.seconds = 0.0
    for value in ("first", "second"):
        noted = {number: {"a": value} for number in range(1, STEPS + 1)}
        slow.get("PUT", ATTRIBUTES, {"task_attributes": noted})
        stored = [item["value"]["S"] for (_, sk), item in slow.memory.items.items() if sk == "ATTRIBUTE#a"]
        assert stored == [value] * STEPS


def test_of_much_that_expires_all_is_put_again_by_a_later_call(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lockstep.clock.RETENTION_DAYS", 30)
    body = {"task_attributes": {number: {"a": "b"} for number in range(1, STEPS + 1)}}
    fill(slow, "", "G")
    slow.seconds, expiries = 0.0, []
    for _ in range(2):
        slow.get("PUT", ATTRIBUTES, body)
        expiries.append({item["expires_at"]["N"] for (_, sk), item in slow.memory.items.items() if "ATTR" in sk})
        slow.clock.sleep(1_000)
    assert all(len(of_call) == 1 for of_call in expiries)
    assert expiries[0] != expiries[1]


def test_what_has_moved_is_remembered_by_its_batch(slow: Slow) -> None:
    fill(slow, "R", "R")
    slow.call(*requests.terminate(RUN))
    seen = slow.memory.items[Batch.key(ARRAY, 1)]["seen"]["S"]
    assert seen.count("K") == slow.statuses().count("K") > 0


def test_all_threads_of_a_request_share_its_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lockstep.dynamodb.parallel.connect", lambda: None)
    with request():
        held_by = run_parallel(lambda _: run_parallel(lambda _: slots(), "cd"), "ab")
    [shared] = {id(each): each for each in chain(*held_by)}.values()
    assert isinstance(shared, Semaphore)
    assert [shared.acquire(blocking=False) for _ in range(PARALLEL + 1)] == [True] * PARALLEL + [False]
