"""The rules that carry the walk on: lives of workflows and tasks, time, what is sent again."""

from random import Random
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.verification.model.oracle.state import ENDED, Instance, Task
from tests.verification.model.rules.distributor import DistributorRules
from tests.verification.model.rules.draws import (
    ARRAYS,
    FAILURE,
    INCREMENT,
    PASSING,
    PICK,
    SKEW,
    STARTS,
    WORKER,
    choose,
)
from tests.verification.model.rules.takeover import TakeoverRules
from tests.verification.model.rules.walker import rule
from tests.verification.model.rules.worker_node import WorkerNodeRules

HAPPENS: Final = {
    "": 55,
    "silence": 7,
    "takeover": 8,
    "end": 2,
    "rivals": 4,
    "succession": 3,
    "follow": 8,
    "repeat": 13,
}
"""How often something happens to all while an example begins, in per cent."""


class LifeRules(TakeoverRules, DistributorRules, WorkerNodeRules):
    """Most goes well, much does not."""

    @initialize(
        start=STARTS,
        skewed=st.booleans(),
        nodes=st.integers(4, 13),
        attempts=st.sampled_from([3, 4, 2]),
        seed=PICK,
        steps=st.integers(0, 90).map(lambda steps: 90 - steps),
    )
    def begin(
        self,
        *,
        start: float,
        skewed: bool,
        nodes: int,
        attempts: int,
        seed: int,
        steps: int,
    ) -> None:
        """Three arrays in two workflows, one workflow that nobody bound, and lives that are a little under way."""
        self.system.clock.start, self.skewed, self.nodes = start, skewed, nodes
        chance = Random(seed)  # noqa: S311  # no secret
        for requested in ({"stdout": "/o", "stderr": "/e"}, {"stdout": "/o2", "memory": 1}, {}):
            self.call("bind_resources", queue_id=1, requested_resources=requested)
        for number in (0, 1):
            self.bind_workflow(number, 10, {}, skew=0)
        for array in ARRAYS:
            self.make_array(array - 1)
            self.bind_tasks(array - 1, 1023, attempts, reset=False)
        for workflow in (1, 2, 3):
            self.call("bind_tasks_no_args", workflow_id=workflow, mark_created=True, tasks={})
            self.link_run(workflow, "ann", chance.choice([90, 90_000]), skew=0)
            self.bring_up(workflow, skew=0, through="BIOR"[: chance.randrange(5)])
        for array in ARRAYS:
            self.queue(array - 1, 1023, 4 * array + 1)
        for _ in range(steps):
            worker = {"process_group_id": chance.randrange(11, 14), "nodename": "n1"}
            self.live(
                [chance.randrange(1023)] * 2, chance.choice("EZUF"), chance.choice([279, 279, 30, -1]), worker, skew=0
            )
            self._happen(chance)

    def _happen(self, chance: Random) -> None:
        """Now and then something happens to all."""
        match chance.choices([*HAPPENS], [*HAPPENS.values()]):
            case ["silence"]:
                self.fall_silent(chance.choice([31, 280, 280, 560]), skew=0)
            case ["takeover"]:
                self.take_over(chance.randrange(6), chance.randrange(1024), chance.random() < 0.5, "bob", skew=0)
            case ["end"]:
                self.drive_home(chance.randrange(8), chance.random() < 0.5, skew=0)
            case ["rivals"]:
                user, seconds = chance.choice(["ann", "ann", "bob"]), chance.choice([0.5, 1, 61])
                self.link_again(chance.randrange(6), user, 90, seconds, skew=0)
            case ["succession"]:
                self.succeed(chance.randrange(1023), skew=0)
            case ["follow"]:
                self.follow(chance.randrange(1, 6), skew=0)
            case ["repeat"]:
                self.repeat(skew=0)

    @rule(seconds=st.sampled_from([31, 280, 560, 91]), skew=SKEW)
    def fall_silent(self, seconds: float, skew: float) -> None:
        """For so long nobody reports; then the clients of all runs ask, and of the late two report after all.

        The newest run asks first: one that was linked after a resume must look after the earlier ones itself.
        """
        self.system.clock.sleep(seconds)
        for run in reversed(self.oracle.runs):
            self.call("set_status_for_triaging", run, skew=skew)
        late = [i.id for i in self.oracle.instances.values() if i.status == "T"]
        if late:
            self.call("log_report_by", late[0], next_report_increment=279, skew=skew)
            self.call("log_done", late[-1], skew=skew)

    @rule(pick=PICK, skew=SKEW)
    def succeed(self, pick: int, skew: float) -> None:
        """A second distributor comes, and asks for all that there is."""
        run = self.pick_run(pick)
        for step in ("B", "I", "O", "R", "I"):
            self.call("update_workflow_run_status", run, status=step, skew=skew)
        for status in "QIORTXK":
            self.call("sync_status", run, task_instance_ids=[], status=status, skew=skew)

    @rule(pick=PICK, hot=st.booleans(), skew=SKEW)
    def drive_home(self, pick: int, hot: bool, skew: float) -> None:  # noqa: FBT001  # hypothesis's arguments
        """All tasks of the smaller workflow are done at last, some of them while its run ends for a resume."""
        self.call("is_resumable", 2, skew=skew)
        self.call("set_resume_state", 2, reset_if_running=True, skew=skew)
        self.link_run(2, "ann", 90_000, skew)
        self.bring_up(2, skew)
        for attempt in self._start_all(3, skew):
            self.call("log_done", attempt, skew=skew)
        if hot:
            self.call("set_resume", 2, reset_running_jobs=bool(pick & 1), skew=skew)
        self.call("update_workflow_run_status", self.run_of(2, pick), status="D", skew=skew)
        self.follow_workflow(2, skew)
        self.link_run(2, "bob", 90, skew)

    def _start_all(self, array: int, skew: float) -> list[int]:
        """Queue what may be queued of an array, and let worker nodes start all that can start."""
        tasks = [task for task in self.oracle.tasks.values() if task.bound[1][2] == array]
        run = self.run_of(ARRAYS[array][0], 1)
        queued: dict[str, Any] = {
            "task_ids": [task.id for task in tasks],
            "task_resources_id": 1,
            "workflow_run_id": run,
        }
        self.call("queue_task_batch", array, **queued)
        newest = [task.id * 1000 + task.made for task in tasks if task.made]
        self.call("instantiate_task_instances", task_instance_ids=newest, skew=skew)
        worker = {"process_group_id": 11, "nodename": "n1"}
        for number in newest:
            if self.oracle.instances[number].status in "IO":
                self.start(number, worker, 279, skew)
        return newest

    @rule(seconds=PASSING)
    def pass_time(self, seconds: float) -> None:
        self.system.clock.sleep(seconds)

    @rule(skew=SKEW)
    def repeat(self, skew: float) -> None:
        """As a client does whose reply was lost."""
        if self.last:
            route, ids, body = self.last
            self.call(route, *ids, **body, skew=skew)

    @rule(picks=st.lists(PICK, min_size=1, max_size=6), failure=FAILURE, increment=INCREMENT, worker=WORKER, skew=SKEW)
    def live(self, picks: list[int], failure: str, increment: float, worker: dict[str, Any], skew: float) -> None:
        """Some go on as most do."""
        for pick in picks:
            task = choose(pick, [*self.oracle.tasks])
            number = task * 1000 + (1 if pick % 8 == 3 else self.oracle.tasks[task].made)
            orphans = [i.id for i in self.oracle.instances.values() if i.task.id == task and i.status not in ENDED]
            if self.oracle.tasks[task].status in "DF" and orphans and pick % 2:
                self._lay_to_rest(self.oracle.instances[orphans[0]], skew)
            elif pick % 8 == 5 or (self.oracle.tasks[task].status == "F" and pick % 3):
                self._start_over(self.oracle.tasks[task])
            elif self.oracle.tasks[task].status in "GA":
                self._queue(self.oracle.tasks[task], pick, skew)
            elif number in self.oracle.instances:
                self._go_on(number, pick, failure, increment, worker, skew)

    def _queue(self, task: Task, pick: int, skew: float) -> None:
        """Mostly by a run that holds the workflow; often it is RUNNING."""
        workflow_id, row = task.bound
        if self.oracle.workflows[workflow_id].holder is None and pick % 4:
            self.link_run(workflow_id, "ann", 90 if pick % 3 else 90_000, skew)
        if pick % 3 == 1:
            self.bring_up(workflow_id, skew)
        self.queue(row[2] - 1, 1023 - pick % 2, pick)

    def _lay_to_rest(self, orphan: Instance, skew: float) -> None:
        """What is left of a task that has ended without it."""
        if failure := {"R": "E", "O": "U", "T": "Z", "X": "E", "K": "F"}.get(orphan.status):
            self.call("log_known_error", orphan.id, error_state=failure, error_message="an orphan", skew=skew)
        else:
            self.call("log_no_distributor_id", orphan.id, no_id_err_msg="an orphan", skew=skew)

    def _start_over(self, task: Task) -> None:
        workflow, row = task.bound
        again = [*row[:7], True, *row[8:]]
        self.call("bind_tasks_no_args", workflow_id=workflow, mark_created=True, tasks={"again": again})

    def _go_on(
        self, number: int, pick: int, failure: str, increment: float, worker: dict[str, Any], skew: float
    ) -> None:
        match self.oracle.instances[number].status:
            case "Q":
                self.instantiate(1023, "Q", skew)
            case "I":
                array, batch, _ = self.oracle.instances[number].place
                ahead = {"batch_number": batch, "next_report_increment": increment}
                self.call("transition_to_launched", array, **ahead, skew=skew)
            case "O":
                self.start(number, worker, increment, skew)
            case "R" if pick % 8 == 7:
                late = {"distributor_id": "D1", "next_report_increment": increment}
                self.call("log_distributor_id", number, **late, skew=skew)
            case "R" if pick % 4 == 2:
                self.start(number, worker, increment, skew)
            case "R" if pick % 4:
                told = {"error_state": failure, "error_description": f"{failure} of {number}"}
                self.call("log_error_worker_node", number, **told, skew=skew)
            case "T" | "X" | "K" | "R" if pick % 4 == 0:
                self.call("log_done", number, skew=skew)
            case "T" | "K" if pick % 4 == 1:
                self.call("log_report_by", number, next_report_increment=increment, skew=skew)
            case "X" | "K" if pick % 4 == 2:
                self.start(number, worker, increment, skew)
            case _:
                route = choose(pick // 4, ["log_known_error", "log_unknown_error"])
                self.call(route, number, error_state=failure, error_message="triage", skew=skew)
