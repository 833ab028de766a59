"""Every bulk route ends within ten tries, each of which does a part; or all that it does fits one call.

In virtual time, as test_progress.py, which holds the other half. The tables below name each bulk row of routes.py.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest
from pynamodb.expressions.update import Action

from local.seed import Seed, SeedWorkflow, load
from lockstep.array.item import Batch, batch_listed_as, listed_in
from lockstep.context import request
from lockstep.dynamodb.puts import put_many
from lockstep.fsm.statuses import TaskStatus, WorkflowStatus
from lockstep.routes import BULK, ROUTES
from lockstep.task.item import Task, changed_key
from lockstep.workflow.item import RunOfWorkflow, Workflow
from lockstep.workflow_run.item import WorkflowRun
from tests.routes import test_progress as progress
from tests.routes import test_requests as requests
from tests.routes.test_progress import ARRAY, LUCK, RUN, STEPS, TRIES, Slow, fill, slow, status_of_tasks
from tests.support.every import is_listed

__all__ = ["slow"]  # a fixture

HELD_IN_PROGRESS: Final = {
    "add_edges": progress.test_much_that_tasks_are_noted_with_is_put_in_parts,
    "array_log_distributor_id": progress.test_many_distributor_ids_are_stored_in_parts,
    "bind_task_args": progress.test_much_that_tasks_are_noted_with_is_put_in_parts,
    "bind_task_attributes": progress.test_much_that_tasks_are_noted_with_is_put_in_parts,
    "bind_tasks_no_args": progress.test_a_large_binding_is_done_in_parts,
    "get_tasks": progress.test_the_tasks_behind_many_that_are_done_are_found_in_the_end,
    "increase_resources": progress.test_all_tasks_of_a_workflow_move_in_parts_each_of_them_once,
    "instantiate_task_instances": progress.test_instantiate_tells_what_it_took_and_takes_the_rest_when_it_is_listed,
    "log_report_by_batch": progress.test_many_heartbeats_are_moved_in_parts,
    "queue_task_batch": progress.test_a_large_queueing_is_done_in_parts,
    "set_resume_state": progress.test_all_tasks_of_a_workflow_move_in_parts_each_of_them_once,
    "set_status_for_triaging": progress.test_a_sweep_moves_a_part_of_what_is_overdue_and_the_next_one_the_rest,
    "sync_status": progress.test_polls_tell_of_a_large_batch_in_parts,
    "terminate_task_instances": progress.test_a_large_batch_moves_in_parts,
    "transition_to_killed": progress.test_a_large_batch_moves_in_parts,
    "transition_to_launched": progress.test_a_large_batch_moves_in_parts,
}
"""The routes that test_progress.py holds, and where."""
ENDS_A_RUN: Final[dict[str, Callable[[Slow], tuple[int, Any]]]] = {
    "set_resume": lambda slow: slow.call("POST", f"/workflow/{ARRAY}/set_resume", {"reset_running_jobs": True}),
    "is_resumable": lambda slow: slow.call("GET", f"/workflow/{ARRAY}/is_resumable", None),
    "set_resume_state": lambda slow: slow.call("POST", f"/task/{ARRAY}/set_resume_state", {"reset_if_running": True}),
    "force_cleanup_kill_self": lambda slow: slow.call("POST", f"/workflow/{ARRAY}/force_cleanup_kill_self", {}),
    "create_workflow_run": lambda slow: slow.call(
        "POST", "/workflow_run", {"workflow_id": ARRAY, "next_report_increment": 90}
    ),
    "update_workflow_run_status": lambda slow: slow.call("PUT", f"/workflow_run/{RUN}/update_status", {"status": "T"}),
    "log_workflow_run_heartbeat": lambda slow: slow.call(
        "POST", f"/workflow_run/{RUN}/log_heartbeat", {"status": "T", "next_report_increment": 90}
    ),
}
"""The routes that end a run whose client is gone, or whose client says so: its instances are stopped first."""
POLLS: Final = {"task_status_updates"}
LOOKS: Final = {"list_array_tasks", "list_workflows", "show_workflow"}
PUTS: Final = {"bind_nodes"}
FITS: Final = {"get_downstream_tasks": requests.test_the_largest_look_below_tasks_whose_reads_lag}
"""The routes that do all or nothing, and where it is held how many requests to DynamoDB the largest call takes."""


def test_every_bulk_route_is_held() -> None:
    held = HELD_IN_PROGRESS.keys() | ENDS_A_RUN.keys() | POLLS | LOOKS | PUTS | FITS.keys()
    bulk = {route.name for route in ROUTES if route.budget == BULK}
    is_listed(bulk, held, "a bulk route; show in one of the tables above that its calls end in parts, or fit one")


@pytest.fixture
def lapsed(slow: Slow) -> Slow:
    """A run that ends for a cold resume, and whose client is gone. All its instances run."""
    return lapsed_with(slow, "R")


def lapsed_with(slow: Slow, status: str) -> Slow:
    fill(slow, status, "R", report_by_in=1_000)
    slow.seconds = 0.0
    with request():
        held: list[Action] = [Workflow.workflow_run_id.set(RUN), Workflow.status.set(WorkflowStatus.RUNNING)]
        Workflow(*Workflow.key(ARRAY)).update(held)
        RunOfWorkflow(*RunOfWorkflow.key(ARRAY, RUN)).save()
    assert slow.call("POST", f"/workflow/{ARRAY}/set_resume", {"reset_running_jobs": True})[0] == 200
    late = {"status": "R", "next_report_increment": -1}
    assert slow.call("POST", f"/workflow_run/{RUN}/log_heartbeat", late) == (200, {"status": "C"})
    slow.seconds = 0.3
    return slow


@pytest.mark.parametrize("route", ENDS_A_RUN)
def test_a_run_that_leaves_much_is_ended_in_parts(lapsed: Slow, route: str) -> None:
    codes, stood = [503], [("R" * STEPS, status_of_tasks(lapsed))]
    while codes[-1] == 503 and len(codes) <= TRIES:
        codes.append(ENDS_A_RUN[route](lapsed)[0])
        stood.append((lapsed.statuses(), status_of_tasks(lapsed)))
        assert codes[-1] == 200 or stood[-1] != stood[-2], "each call does a part"
    assert codes[-1] == 200
    assert len(codes) > 2, "it is more than a call can do"
    assert "R" not in lapsed.statuses()
    assert lapsed.memory.items[WorkflowRun.key(RUN)]["status"]["S"] == "T"


def test_what_is_silent_of_an_ended_run_fails_in_parts(slow: Slow) -> None:
    lapsed_with(slow, "T")
    slow.seconds = 0.0
    assert slow.call("PUT", f"/workflow_run/{RUN}/update_status", {"status": "T"})[0] == 200
    slow.clock.sleep(1_001)
    slow.seconds = 0.7
    codes, stood = [503], ["T" * STEPS]
    while codes[-1] == 503 and len(codes) <= TRIES:
        codes.append(ENDS_A_RUN["is_resumable"](slow)[0])
        stood.append(slow.statuses())
        assert stood[-1] != stood[-2], "each call does a part"
    assert codes[-1] == 200
    assert len(codes) > 2, "it is more than a call can do"
    assert stood[-1] == "U" * STEPS


def test_polls_tell_of_a_large_workflow_in_parts(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"MOST_IN_FULL": STEPS - 1, "MOST_TOLD": 150, "CHANGES_AT_ONCE": 50}.items():
        monkeypatch.setattr(f"lockstep.workflow.progress.{name}", value)
    fill(slow, "D", "D")
    changed = slow.clock.time()
    with request(60):
        for number in range(1, STEPS + 1):
            at = changed + number
            Task(*Task.key(number)).update([Task.changed.set(changed_key(at, TaskStatus.DONE))])
    slow.clock.sleep(STEPS + 100)
    slow.seconds = 0.5
    told: set[int] = set()
    since: dict[str, str] = {}
    polls = 0
    while len(told) < STEPS and polls < TRIES:
        code, reply = slow.call("POST", f"/workflow/{ARRAY}/task_status_updates", since)
        before = len(told)
        told |= set(reply["tasks_by_status"]["D"])
        assert (code, len(told) > before) == (200, True), "each poll tells a part"
        since = {"last_sync": reply["time"]}
        polls += 1
    assert told == {*range(1, STEPS + 1)}
    assert polls > 1


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
        for number in range(1, STEPS + 1):
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
    batches = [
        Batch(
            *Batch.key(ARRAY, number),
            size=1,
            num_instances=1,
            task_resources_id=1,
            workflow_run_id=RUN,
            seen="D",
            listed_in=listed_in(ARRAY),
            listed_as=batch_listed_as(ARRAY, number),
        )
        for number in range(1, 100)
    ]
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


def test_many_nodes_are_put_in_parts_each_in_an_item_of_its_own(slow: Slow) -> None:
    nodes = [
        {"task_template_version_id": version, "node_args_hash": "1", "node_args": {"1": "x"}}
        for version in range(1, STEPS + 1)
    ]
    slow.seconds = 1.0
    slow.asked.clear()
    codes, stored = [503], [0]
    while codes[-1] == 503 and len(codes) <= TRIES:
        codes.append(slow.call("POST", "/nodes", {"nodes": nodes})[0])
        stored.append(sum(pk.startswith("NODES#") for pk, _ in slow.memory.items))
        assert codes[-1] == 200 or stored[-1] > stored[-2], "each call does a part"
    assert (codes[-1], stored[-1]) == (200, STEPS)
    assert len(codes) > 2, "it is more than a call can do"
    assert slow.asked["BatchWriteItem"] <= STEPS // 25 + len(codes), "what is put is not put again"
