"""What ended runs of a workflow left when it is resumed: no command runs twice at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest

from lockstep.array import run_index
from lockstep.array.item import EARLIER_RUNS, due_key
from lockstep.array.portions import HIDDEN_SECONDS
from lockstep.array.run_index import is_left
from lockstep.clock import BULK_BUDGET_SECONDS, HEARTBEAT_BUFFER_SECONDS, now
from lockstep.context import request
from lockstep.dynamodb.item import RawItem
from lockstep.dynamodb.reads import query
from lockstep.task_instance.item import InstanceKey, TaskInstance
from lockstep.workflow_run import earlier, sweep
from lockstep.workflow_run.earlier import SURE_AFTER_SECONDS
from lockstep.workflow_run.item import WorkflowRun
from tests.conformance.recording import Player
from tests.support.memory import VirtualTime, in_memory, running_on
from tests.support.memory.boundary import Memory, answered_by
from tests.support.memory.operations import Reply
from tests.support.workflows import Run, Workflow

TASKS = 4
"""What a run leaves of them: one runs, one is launched, one is taken, one is queued."""


@pytest.fixture
def clock() -> Iterator[VirtualTime]:
    with in_memory(), running_on(VirtualTime()) as clock:
        yield clock


class Resumed(Workflow):
    """A workflow whose first run has left an attempt in R, O, I and Q."""

    def __init__(self) -> None:
        self.player = Player()
        super().__init__(self.player, TASKS, command="true", linked=False)
        self.tasks = sorted(number for number, _ in self.bind(running=True, created=True).values())
        self.link(*"BIOR")
        self.left = self.start_attempts(1)

    def bound(self, *, running: bool) -> list[str]:
        """The statuses in which its tasks are bound again."""
        return sorted(status for _, status in self.bind(running=running, created=True).values())

    def start_attempts(self, attempt: int) -> list[int]:
        """Give each task an attempt, launch two of them and start one."""
        self.send_queue(self.tasks)
        ids = [task * 1000 + attempt for task in self.tasks]
        self.expect("POST", "/task_instance/instantiate_task_instances", {"task_instance_ids": ids[:3]})
        for number in ids[:2]:
            self.hears(number, "log_distributor_id", distributor_id=f"{number}", **SOON)
        assert self.claim(ids[0]) == "R"
        return ids

    def claim(self, number: int) -> str:
        told = self.hears(number, "log_running", process_group_id=1, nodename="n1", **SOON)
        return str(told["task_instance"][1])

    def beat(self, number: int) -> str:
        return str(self.hears(number, "log_report_by", **SOON)["status"])

    def stop_command(self) -> None:
        """The worker node that was told to stop says that its command has ended."""
        self.hears(self.left[0], "log_error_worker_node", error_state="F", error_description="killed")

    def resumable(self) -> tuple[bool, int]:
        reply = self.expect("GET", f"/workflow/{self.id}/is_resumable")
        return reply["workflow_is_resumable"], reply["pending_kill_self"]

    def pairs(self) -> str:
        return " ".join(Run(self.player, self.run).pairs(self.left))


def ended(*, cold: bool | None = None) -> Resumed:
    """One whose run has ended with an error; and which is resumed, if it is said how."""
    workflow = Resumed()
    workflow.move("E")
    if cold is not None:
        workflow.resume(cold=cold)
    return workflow


SOON = {"next_report_increment": HEARTBEAT_BUFFER_SECONDS}


@pytest.mark.parametrize("ends", [["E"], ["S"], ["H", "T"]])
def test_a_cold_resume_waits_for_what_an_ended_run_left(clock: VirtualTime, ends: list[str]) -> None:
    workflow = Resumed()
    workflow.move(*ends)
    workflow.resume(cold=True)
    assert workflow.resumable() == (False, 2)
    assert workflow.pairs() == "KR KO FF FQ"
    assert [workflow.claim(number) for number in workflow.left[1:]] == ["F", "F", "F"]
    assert workflow.resumable() == (False, 1)
    assert workflow.beat(workflow.left[0]) == "K"
    workflow.stop_command()
    assert workflow.resumable() == (True, 0)
    assert workflow.bound(running=True) == ["G"] * TASKS
    clock.sleep(1)
    workflow.link(*"BIOR")
    workflow.start_attempts(2)
    assert [workflow.claim(number) for number in workflow.left] == ["F"] * TASKS


def test_a_worker_node_that_is_gone_holds_no_resume_up_for_longer_than_it_may_be_silent(clock: VirtualTime) -> None:
    workflow = ended(cold=True)
    assert workflow.resumable() == (False, 2)
    clock.sleep(HEARTBEAT_BUFFER_SECONDS + 1)
    assert workflow.resumable() == (True, 0)


def test_a_hot_resume_lets_what_runs_go_on(clock: VirtualTime) -> None:
    workflow = ended(cold=False)
    assert workflow.resumable() == (True, 1), "what is launched has still to hear it, but runs nothing"
    assert workflow.pairs() == "RR KO FF FQ"
    assert [workflow.claim(number) for number in workflow.left[1:]] == ["F", "F", "F"]
    assert workflow.bound(running=False) == ["G", "G", "G", "R"]
    clock.sleep(1)
    workflow.link(*"BIOR")
    assert workflow.beat(workflow.left[0]) == "R"
    assert workflow.hears(workflow.left[0], "log_done") == {"status": "D"}


@pytest.mark.parametrize("resumes", [[True, False], [False, True]])
def test_if_two_clients_resume_what_ran_stops_if_one_of_them_says_so(clock: VirtualTime, resumes: list[bool]) -> None:
    workflow = ended()
    for cold in resumes:
        workflow.resume(cold=cold)
        clock.sleep(1)
    assert workflow.resumable() == (False, 2)
    assert workflow.beat(workflow.left[0]) == "K"


def test_nobody_who_merely_asks_stops_anything(clock: VirtualTime) -> None:
    workflow = ended()
    clock.sleep(1)
    assert workflow.resumable() == (True, 0)
    assert workflow.pairs() == "RR OO II QQ"


@pytest.mark.usefixtures("clock")
def test_a_client_that_waits_for_another_ones_run_stops_what_that_run_leaves() -> None:
    workflow = ended(cold=True)
    workflow.bound(running=True)
    workflow.link(*"BIOR")
    workflow.left = workflow.start_attempts(2)
    workflow.move("E")
    assert workflow.resumable() == (False, 4)
    assert workflow.pairs() == "KR KO FF FQ"


@pytest.mark.usefixtures("clock")
def test_a_hot_resume_after_a_cold_one_that_has_got_its_run_is_hot() -> None:
    workflow = ended(cold=True)
    workflow.link(*"BIORE")
    workflow.resume(cold=False)
    assert workflow.resumable() == (True, 1)
    assert workflow.pairs() == "RR KO FF FQ"


@pytest.mark.parametrize("cold", [True, False])
def test_what_is_silent_fails_when_its_workflow_is_resumed(clock: VirtualTime, cold: bool) -> None:  # noqa: FBT001  # pytest's argument
    workflow = fallen_silent(clock)
    workflow.resume(cold=cold)
    assert workflow.resumable() == (True, 0)
    assert workflow.pairs() == "UG EG FF FQ"
    assert workflow.beat(workflow.left[0]) == "U", "any status but R stops a worker node's command"
    assert workflow.claim(workflow.left[1]) == "E"


def test_a_task_whose_worker_node_is_gone_is_tried_again_after_a_hot_resume(clock: VirtualTime) -> None:
    workflow = ended(cold=False)
    assert workflow.resumable() == (True, 1)
    workflow.bound(running=False)
    workflow.link(*"BIOR")
    for status in "RTU":
        assert workflow.pairs()[:2] == f"{status}{'G' if status == 'U' else 'R'}"
        clock.sleep(HEARTBEAT_BUFFER_SECONDS + 1)
        workflow.sweep()
    told = workflow.expect("POST", f"/workflow/{workflow.id}/task_status_updates", {})["tasks_by_status"]
    assert told == {"G": workflow.tasks}
    workflow.start_attempts(2)


def test_a_run_looks_after_earlier_ones_until_all_that_they_left_has_ended(clock: VirtualTime) -> None:
    workflow = ended(cold=False)
    workflow.resumable()
    workflow.bound(running=False)
    run = workflow.link(*"BIOR")
    stored = WorkflowRun.key(run)
    for over in (False, True):
        clock.sleep(HEARTBEAT_BUFFER_SECONDS / 2)
        assert workflow.beat(workflow.left[0]) == ("D" if over else "R")
        workflow.sweep()
        assert WorkflowRun.get(*stored).attention == EARLIER_RUNS
        workflow.hears(workflow.left[0], "log_done")
    for _ in range(4):
        clock.sleep(HEARTBEAT_BUFFER_SECONDS + 1)
        workflow.sweep()
    assert WorkflowRun.get(*stored).attention is None
    assert workflow.pairs() == "DD FG FG FG"


@contextmanager
def hidden(run: int) -> Iterator[None]:
    """The run index shows nothing of a run."""

    def ask(partition: str, *args: Any, **more: Any) -> Iterator[RawItem]:
        return iter(()) if partition == str(run) else query(partition, *args, **more)

    with patch.object(run_index, "query", ask):
        yield


@pytest.mark.parametrize("misses", [1, 2])
def test_what_the_index_did_not_show_for_a_while_is_not_left_for_ever(clock: VirtualTime, misses: int) -> None:
    workflow = ended(cold=False)
    first = workflow.run
    workflow.resumable()
    workflow.bound(running=False)
    workflow.link(*"BIOR")
    for _ in range(misses):
        with hidden(first):
            clock.sleep(SURE_AFTER_SECONDS / misses - 1)
            workflow.sweep()
    for status in "RTU":
        assert workflow.pairs()[:2] == f"{status}{'G' if status == 'U' else 'R'}"
        clock.sleep(HEARTBEAT_BUFFER_SECONDS + 1)
        workflow.sweep()


def test_a_find_between_two_sweeps_that_find_nothing_keeps_a_run_looking(clock: VirtualTime) -> None:
    workflow = ended(cold=False)
    first = workflow.run
    run = workflow.link(*"BIOR")
    kept = []
    for shown in (False, True, False, False, False):
        with nullcontext() if shown else hidden(first):
            workflow.sweep()
        kept.append(WorkflowRun.get(*WorkflowRun.key(run)).attention)
        clock.sleep(SURE_AFTER_SECONDS / 2 + 1)
    looked_at = now() - 3 * (SURE_AFTER_SECONDS / 2 + 1)
    since = due_key(EARLIER_RUNS, looked_at)
    assert kept[1:] == [EARLIER_RUNS, since, since, None]
    assert EARLIER_RUNS < str(kept[0]) < since


def test_a_sweep_forgets_nothing_that_another_one_found_meanwhile(clock: VirtualTime) -> None:
    workflow = ended(cold=False)
    first = workflow.run
    run = workflow.link(*"BIOR")
    with hidden(first):
        workflow.sweep()
    clock.sleep(SURE_AFTER_SECONDS)

    def finds_nothing(_: int) -> bool:
        with patch.object(earlier, "is_left", is_left):
            workflow.sweep()
        return False

    with patch.object(earlier, "is_left", finds_nothing):
        workflow.sweep()
    assert WorkflowRun.get(*WorkflowRun.key(run)).attention == EARLIER_RUNS


def test_a_sweep_whose_time_is_up_does_not_look_at_earlier_runs(clock: VirtualTime) -> None:
    workflow = ended(cold=False)
    run = workflow.link(*"BIOR")
    with hidden(workflow.run), patch.object(sweep, "_sweep_run", lambda *_: clock.sleep(0.7 * BULK_BUDGET_SECONDS)):
        workflow.sweep()
    assert WorkflowRun.get(*WorkflowRun.key(run)).attention == EARLIER_RUNS


class Between:
    """A table of which the run index lags behind, and of which something may happen before a request."""

    def __init__(self) -> None:
        self.clock = VirtualTime()
        self.hidden = ""
        """The status of the instances that the index does not show yet."""
        self.happens: Callable[[], Any] = int
        """What happens before one of the next requests."""
        self.at = -1
        """The number of that request."""
        self.misses = 0
        """How many lists of batches will be empty."""
        self.memory = Memory()

    def answer(self, operation: str, request: dict[str, Any]) -> Reply:
        self.at -= 1
        if self.at == -1:
            self.happens()
        reply = self.memory.answer(operation, request)
        if request.get("IndexName") == "run":
            shown = [raw for raw in reply.body["Items"] if raw["attention"]["S"] != f"I#{self.hidden}"]
            if self.misses and any(raw["attention"]["S"][0] in "LW" for raw in shown):
                self.misses -= 1
                shown = []
            reply.body.update(Items=shown, Count=len(shown))
        return reply


@contextmanager
def between_requests() -> Iterator[Between]:
    between = Between()
    with running_on(between.clock), answered_by(between.answer):
        yield between


@pytest.fixture
def between() -> Iterator[Between]:
    with between_requests() as made:
        yield made


def fallen_silent(clock: VirtualTime) -> Resumed:
    """One whose run has ended after its worker nodes fell silent."""
    workflow = Resumed()
    clock.sleep(2 * HEARTBEAT_BUFFER_SECONDS + 1)
    workflow.sweep()
    workflow.move("E")
    assert workflow.pairs() == "TR XO II QQ"
    return workflow


def test_a_cold_resume_waits_for_a_worker_node_that_reports_while_its_run_is_looked_at() -> None:
    for at in count():
        with between_requests() as between:
            workflow = fallen_silent(between.clock)
            workflow.resume(cold=True)
            between.happens, between.at = lambda: workflow.beat(workflow.left[0]), at  # noqa: B023  # called at once
            resumable, _ = workflow.resumable()
            if between.at >= 0:
                break
            assert not resumable or workflow.beat(workflow.left[0]) != "R", f"before request {at}"
    assert at > 10


@pytest.mark.parametrize("ends", [["E"], ["T"]])
def test_a_cold_resume_waits_for_what_the_index_does_not_show_yet(between: Between, ends: list[str]) -> None:
    workflow = Resumed()
    if ends == ["E"]:
        workflow.move("E")
    workflow.resume(cold=True)
    if ends == ["T"]:
        workflow.move("T")
    else:
        assert workflow.resumable() == (False, 2)
    between.hidden = "K"
    assert workflow.resumable() == (False, 2)
    assert workflow.beat(workflow.left[0]) == "K"
    workflow.stop_command()
    assert workflow.resumable() == (True, 1)


@pytest.mark.parametrize("status", ["T", "X"])
def test_what_is_silent_fails_though_the_index_does_not_show_it_yet(between: Between, status: str) -> None:
    workflow = fallen_silent(between.clock)
    workflow.resume(cold=True)
    between.hidden = status
    assert workflow.resumable() == (True, 0)
    assert workflow.pairs() == "UG EG FF FQ"


@pytest.mark.usefixtures("clock")
def test_tasks_start_over_after_what_an_ended_run_left_has_stopped() -> None:
    workflow = ended(cold=True)
    why = f"Workflow {workflow.id} is not resumable: a worker node may still run what was told to stop."
    for _ in range(2):
        assert workflow.start_over() == {"err_msg": why}
        assert workflow.pairs() == "KR KO FF FQ"
    workflow.stop_command()
    assert workflow.start_over() == {}
    assert workflow.pairs() == "FG KG FG FG"


def test_tasks_start_over_though_a_worker_node_is_gone(clock: VirtualTime) -> None:
    workflow = ended(cold=True)
    assert "err_msg" in workflow.start_over()
    clock.sleep(HEARTBEAT_BUFFER_SECONDS + 1)
    assert workflow.start_over() == {}
    assert workflow.pairs() == "KG KG FG FG"


def test_a_batch_that_moves_in_the_index_while_it_is_listed_holds_a_resume_up(between: Between) -> None:
    workflow = ended(cold=True)
    assert workflow.resumable() == (False, 2)
    between.hidden, between.misses = "K", 1
    assert workflow.resumable() == (False, 2)
    between.misses = 1
    assert "err_msg" in workflow.start_over()
    assert (between.misses, workflow.pairs()) == (0, "KR KO FF FQ")


def test_an_instance_that_has_expired_holds_a_resume_up_for_an_hour_at_most(between: Between) -> None:
    workflow = ended(cold=True)
    workflow.resumable()
    with request():
        TaskInstance(*TaskInstance.key(InstanceKey(*divmod(workflow.left[0], 1000)))).delete()
    between.clock.sleep(HEARTBEAT_BUFFER_SECONDS + 1)
    assert workflow.send("GET", f"/workflow/{workflow.id}/is_resumable")[0] == 503
    between.clock.sleep(HIDDEN_SECONDS)
    assert workflow.resumable() == (True, 0)
