"""A bulk call goes on behind members that it refuses, or cannot move: they are in front of the others at each try.

In virtual time, as test_progress.py.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from local.seed import Seed, load
from lockstep.array.item import NO_STEP, Batch, NextCheck
from lockstep.array.portions import HIDDEN_SECONDS
from lockstep.context import request
from lockstep.dynamodb.item import Item, Key
from lockstep.dynamodb.puts import put_many
from lockstep.fsm.statuses import TaskInstanceStatus, WorkflowRunStatus
from lockstep.task.item import Task
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.text import digest
from lockstep.workflow.item import RunOfWorkflow
from lockstep.workflow.tasks import note_bound
from lockstep.workflow_run.item import WorkflowRun
from sim import requests
from tests.support.slow import ARRAY, RUN, STEPS, TRIES, Slow, fill

FRONT: Final = STEPS // 2
"""The members in front, of STEPS."""
ENDED_RUN: Final = 8


def put_in_front(slow: Slow, model: type[Item], key: Callable[[int], Key], attributes: Mapping[str, Any]) -> None:
    """Give an item of each member in front other attributes."""
    items: list[Any] = [model.from_raw_data(dict(slow.memory.items[key(number)])) for number in range(1, FRONT + 1)]
    for item in items:
        for name, value in attributes.items():
            setattr(item, name, value)
    with request():
        put_many(items)


def first_attempt(task_id: int) -> Key:
    return TaskInstance.key(InstanceKey(task_id, 1))


def test_distributor_ids_behind_many_that_are_refused_are_stored(slow: Slow) -> None:
    ids = fill(slow, "O", "O")
    slow.seconds = 0.0
    ended = {"status": TaskInstanceStatus.DONE, "launched_as": digest("earlier"), "distributor_id": "earlier"}
    put_in_front(slow, TaskInstance, first_attempt, ended)
    slow.seconds = 1.0
    said = {number: f"7_{number}" for number in ids}
    assert slow.finish(*requests.log_distributor_ids(ARRAY, said))[0] > 1, "it is more than a call can do"
    stored = [slow.memory.items[first_attempt(number)] for number in range(1, STEPS + 1)]
    assert [item["distributor_id"]["S"] for item in stored] == ["earlier"] * FRONT + list(said.values())[FRONT:]
    assert any("refusals" in item for item in stored[:FRONT]), "people see that some were refused"


NOT_TO_BE_TAKEN: Final[dict[str, tuple[type[Item], Callable[[int], Key], dict[str, Any]]]] = {
    "of a run that has ended": (TaskInstance, first_attempt, {"workflow_run_id": ENDED_RUN}),
    "superseded": (Task, Task.key, {"num_instances": 2}),
}


@pytest.mark.parametrize("why", NOT_TO_BE_TAKEN)
def test_instances_behind_many_that_cannot_be_taken_are_taken(slow: Slow, why: str) -> None:
    ids = fill(slow, "Q", "Q")
    slow.seconds = 0.0
    load(Seed.model_validate({"workflows": [{"workflow_id": ARRAY}]}))
    ended = WorkflowRun(*WorkflowRun.key(ENDED_RUN), workflow_id=ARRAY, status=WorkflowRunStatus.DONE, status_date=1.0)
    with request():
        put_many([ended])
    put_in_front(slow, *NOT_TO_BE_TAKEN[why])
    slow.seconds = 0.6
    left, tries = ids, 0
    while left[FRONT:] and tries < TRIES:
        code, reply = slow.call(*requests.instantiate(left))
        told = {number for *_, members in reply["task_instance_batches"] for number in members}
        assert (code, bool(told)) == (200, True), "each call does a part"
        left = [number for number in left if number not in told]
        tries += 1
    assert left == ids[:FRONT]


def test_instances_that_no_reply_would_hold_give_way_to_those_that_are_taken(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = fill(slow, "Q", "Q")
    slow.seconds = 0.0
    put_in_front(slow, *NOT_TO_BE_TAKEN["superseded"])
    monkeypatch.setattr("lockstep.workflow_run.instantiate.MAX_REPLY_BYTES", 500)
    monkeypatch.setattr("lockstep.workflow_run.instantiate.TAKEN_AT_ONCE", STEPS)
    code, reply = slow.call(*requests.instantiate(ids))
    told = [number for *_, members in reply["task_instance_batches"] for number in members]
    assert (code, bool(told)) == (200, True)
    assert told == ids[FRONT : FRONT + len(told)]


def test_what_has_moved_of_other_runs_does_not_hold_up_the_rest_of_a_batch(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(slow, "O", "O")
    slow.seconds = 0.0
    put_in_front(slow, TaskInstance, first_attempt, {"status": TaskInstanceStatus.RUNNING})
    batch = Batch.from_raw_data(dict(slow.memory.items[Batch.key(ARRAY, 1)]))
    batch.seen = NO_STEP * STEPS
    with request():
        put_many([batch])
    for size in ("STEPS_PER_PORTION", "STEPS_PER_GROUP"):
        monkeypatch.setattr(f"lockstep.array.portions.{size}", FRONT)
    slow.seconds = 0.9
    slow.get(*requests.launch(ARRAY, 1, 279))


@pytest.mark.parametrize(("size", "number"), [(50, 6), (STEPS, 3)], ids=["small", "large"])
def test_a_sweep_reaches_the_batch_behind_others_that_lack_an_instance(slow: Slow, size: int, number: int) -> None:
    fill(slow, "R", "R", report_by_in=-1)
    slow.seconds = 0.0
    changed = {
        "attention": {"S": str(NextCheck(slow.clock.time() - 2 * HIDDEN_SECONDS, waiting=False))},
        "size": {"N": str(size)},
        "seen": {"S": TaskInstanceStatus.RUNNING * size},
    }
    raw = {**slow.memory.items[Batch.key(ARRAY, 1)], **changed}
    keys = [Batch.key(ARRAY, 2 + each) for each in range(number)]
    with request():
        put_many([Batch.from_raw_data({**raw, "pk": {"S": key.pk}}) for key in keys])
    slow.seconds = 1.0
    sweeps = 0
    while "T" not in slow.statuses() and sweeps < TRIES:
        slow.get(*requests.sweep(RUN))
        sweeps += 1
    assert 1 < sweeps < TRIES


def test_what_there_is_no_time_to_read_of_instances_in_kill_self_counts_as_pending(
    slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockstep.workflow_run.handover.READ_AT_ONCE", 100)
    fill(slow, "K", "R", report_by_in=-1)
    with request():
        put_many([RunOfWorkflow(*RunOfWorkflow.key(ARRAY, RUN))])
        note_bound(ARRAY)
    slow.seconds = 2.0
    code, reply = slow.call("GET", f"/workflow/{ARRAY}/is_resumable")
    assert (code, reply["workflow_is_resumable"], reply["pending_kill_self"]) == (200, False, STEPS - 100)
    slow.seconds = 0.1
    code, reply = slow.call("GET", f"/workflow/{ARRAY}/is_resumable")
    assert (code, reply["workflow_is_resumable"], reply["pending_kill_self"]) == (200, True, 0)
