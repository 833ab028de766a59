"""More of ended runs than one call can look at: a resume goes on where the call before came to, and ends.

In virtual time, as test_progress.py: every request takes a part of a second, and hundreds are as many as hundreds of
thousands.
"""

from typing import Final

import pytest

from lockstep.context import request
from lockstep.dynamodb.puts import put_many
from lockstep.fsm.statuses import WorkflowRunStatus
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.workflow.item import RunOfWorkflow, Workflow
from lockstep.workflow_run.item import WorkflowRun
from lockstep.workflow_run.leftovers import PASSED_SECONDS
from sim import requests
from tests.support.seeding import plant
from tests.support.slow import ARRAY, RUN, STEPS, TRIES, Slow

STEPS_PER_BATCH: Final = 20
SMALL: Final = {
    "lockstep.array.portions.STEPS_PER_GROUP": 20,
    "lockstep.array.portions.STEPS_PER_PARTITION": 20,
    "lockstep.workflow.cursor.GROUP": 50,
    "lockstep.workflow_run.handover.READ_AT_ONCE": 100,
}
SILENT_FOR: Final = 1_000.0
"""The seconds for which worker nodes may be silent."""


@pytest.fixture
def slow(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> Slow:
    for name, value in SMALL.items():
        monkeypatch.setattr(name, value)
    return slow


def left_by_a_run(slow: Slow, status: str) -> None:
    """A run that has ended by itself and left instances in a status, each of which a worker node has claimed."""
    of_run = {"status": status, "workflow_run_id": RUN, "report_by_in": SILENT_FOR}
    steps = [divmod(each, STEPS_PER_BATCH) for each in range(STEPS)]
    instances = [
        {**of_run, "task_instance_id": each * 1000 + 1, "array_batch_num": batch + 1, "array_step_id": step}
        for each, (batch, step) in enumerate(steps, start=1)
    ]
    tasks = [{"task_id": each, "status": "R"} for each in range(1, STEPS + 1)]
    plant(ARRAY, tasks, instances, workflows=[{"workflow_id": ARRAY}])
    with request(60):
        put_many([RunOfWorkflow(*RunOfWorkflow.key(ARRAY, RUN))])
        WorkflowRun(*WorkflowRun.key(RUN)).update([WorkflowRun.status.set(WorkflowRunStatus.ERROR)])
        for each in range(1, STEPS + 1):
            instance = TaskInstance(*TaskInstance.key(InstanceKey(each, 1)))
            instance.update([TaskInstance.claimed_at.set(slow.clock.time())])


def resume(slow: Slow, *, cold: bool) -> None:
    assert slow.get(*requests.set_resume(ARRAY, cold=cold)) == {}


def asked_until_it_answers(slow: Slow) -> tuple[int, bool]:
    """The calls of is_resumable that it takes until one is answered 200, and what that one says."""
    calls, reply = slow.finish("GET", f"/workflow/{ARRAY}/is_resumable")
    return calls, reply["workflow_is_resumable"]


def link_and_end(slow: Slow) -> None:
    run = slow.get(*requests.create_run(ARRAY, 90))["workflow_run_id"]
    for status in "BE":
        slow.get(*requests.move_run(run, status))


def test_a_resume_ends_though_more_worker_nodes_are_gone_than_a_call_looks_at(slow: Slow) -> None:
    left_by_a_run(slow, "K")
    resume(slow, cold=True)
    slow.clock.sleep(SILENT_FOR + 1)
    slow.seconds = 0.1
    calls, resumable = asked_until_it_answers(slow)
    assert resumable
    assert calls > 1, "it is more than a call can do"
    assert slow.statuses() == "K" * STEPS


def test_a_hot_resume_ends_though_more_runs_on_than_a_call_looks_at(slow: Slow) -> None:
    left_by_a_run(slow, "R")
    resume(slow, cold=False)
    slow.seconds = 0.1
    calls, resumable = asked_until_it_answers(slow)
    assert resumable
    assert calls > 1, "it is more than a call can do"
    assert slow.statuses() == "R" * STEPS


@pytest.mark.parametrize("alive", [1, STEPS // 2, STEPS])
def test_one_worker_node_among_many_holds_a_resume_up(slow: Slow, alive: int) -> None:
    left_by_a_run(slow, "K")
    resume(slow, cold=True)
    slow.clock.sleep(SILENT_FOR + 1)
    assert slow.get(*requests.log_report_by(alive * 1000 + 1, SILENT_FOR)) == {"status": "K"}
    slow.seconds = 0.1
    assert not asked_until_it_answers(slow)[1]
    slow.clock.sleep(SILENT_FOR)
    assert asked_until_it_answers(slow)[1]


def test_a_cold_resume_stops_what_a_hot_one_has_passed(slow: Slow) -> None:
    left_by_a_run(slow, "R")
    resume(slow, cold=False)
    slow.seconds = 0.1
    assert asked_until_it_answers(slow)[1]
    resume(slow, cold=True)
    slow.seconds = 0.02
    assert not asked_until_it_answers(slow)[1]
    assert slow.statuses() == "K" * STEPS


def test_a_hot_resume_after_another_run_looks_at_all_again(slow: Slow) -> None:
    left_by_a_run(slow, "R")
    resume(slow, cold=False)
    slow.seconds = 0.1
    assert asked_until_it_answers(slow)[1]
    slow.seconds = 0.0
    link_and_end(slow)
    with request():
        TaskInstance(*TaskInstance.key(InstanceKey(1, 1))).update([TaskInstance.status.set("O")])
    resume(slow, cold=False)
    assert not asked_until_it_answers(slow)[1]
    assert slow.statuses() == "K" + "R" * (STEPS - 1)


def test_what_was_passed_long_ago_is_looked_at_again(slow: Slow) -> None:
    left_by_a_run(slow, "K")
    resume(slow, cold=True)
    slow.clock.sleep(SILENT_FOR + 1)
    slow.seconds = 0.1
    assert asked_until_it_answers(slow)[1]
    slow.clock.sleep(PASSED_SECONDS)
    assert slow.get(*requests.log_report_by(1001, SILENT_FOR)) == {"status": "K"}
    assert not asked_until_it_answers(slow)[1]


def test_many_tasks_start_over_without_another_look_at_what_is_left(slow: Slow) -> None:
    left_by_a_run(slow, "K")
    resume(slow, cold=True)
    slow.clock.sleep(SILENT_FOR + 1)
    slow.seconds = 0.1
    assert asked_until_it_answers(slow)[1]
    slow.seconds = 0.25
    codes = [503]
    queries: dict[bool, list[int]] = {False: [], True: []}
    while codes[-1] == 503 and len(codes) <= TRIES:
        slow.asked.clear()
        goes_on = "cursor" in slow.memory.items[Workflow.key(ARRAY)]
        codes.append(slow.call(*requests.start_over(ARRAY))[0])
        queries[goes_on].append(slow.asked["Query"])
    assert codes[-1] == 200
    assert slow.tasks() == "G" * STEPS
    of_ranges_of_ids = 2
    assert set(queries[True]) == {of_ranges_of_ids}
    assert min(queries[False]) > of_ranges_of_ids, "the first call looks"


def test_nothing_is_noted_where_one_call_can_look_at_all(slow: Slow) -> None:
    left_by_a_run(slow, "K")
    resume(slow, cold=True)
    slow.clock.sleep(SILENT_FOR + 1)
    slow.asked.clear()
    assert asked_until_it_answers(slow) == (1, True)
    assert slow.asked.keys() == {"BatchGetItem", "Query"}
