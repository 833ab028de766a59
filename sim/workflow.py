"""A workflow's client: binds its tasks, queues them until each has ended, sweeps, and resumes now and then."""

import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from lockstep.fsm.statuses import TERMINAL_TASK_STATUSES, TaskStatus
from lockstep.task.item import MAX_INLINE_SPEC_BYTES
from lockstep.task_instance.item import split_task_instance_id
from sim import requests
from sim.client import UnansweredError
from sim.cluster import Cluster, DiedError, side_by_side
from sim.distributor import Distributor, Run
from sim.life import Life, draw
from sim.requests import Request

SECONDS_OF_A_LOOP: Final = (1.0, 2.0)
IDS_PER_CALL: Final = 500
"""Jobmon's client sends no more at once."""
RESUMES: Final = 0.03
"""The share of loops after which somebody resumes the workflow."""
MOST_RESUMES: Final = 2
STUCK_LOOPS: Final = 40
"""Loops in which no task moves, before a person would resume the workflow."""
ARRAYS: Final = 2
RUN_INCREMENT: Final = 90
_QUEUES_TWICE: Final = 1 / 8
"""The share of calls that two clients make at once."""
_LONG_COMMAND: Final = "true #" + "x" * MAX_INLINE_SPEC_BYTES
"""One that a task's own item does not hold."""
_STARTS_OVER: Final = 1 / 4
"""The share of tasks that are bound to be reset even if they run."""


def bind_tasks(ask: Callable[[Request], Any], workflow_id: int, tasks: Sequence[list[Any]]) -> list[int]:
    """Bind tasks and return their ids, in ascending order."""
    ids = []
    for first in range(0, len(tasks), IDS_PER_CALL):
        bound = ask(requests.bind_tasks(workflow_id, tasks[first : first + IDS_PER_CALL]))["tasks"]
        ids += [int(task_id) for task_id, _ in bound.values()]
    return sorted(ids)


class Workflow:
    """One workflow with some arrays of equal size. Each run draws one of the increments for its reports."""

    def __init__(self, cluster: Cluster, workflow_id: int, size: int, seed: str, increments: Sequence[float]) -> None:
        self._cluster, self._id, self._size, self._increments = cluster, workflow_id, size, increments
        self._seed = f"{seed} {workflow_id}"
        self._rng = random.Random(self._seed)  # noqa: S311  # a script, not a secret
        self._resources: list[int] = []
        self._arrays: dict[int, list[int]] = {}
        """The tasks of each."""
        self._statuses: dict[int, TaskStatus] = {}
        self._workers: list[threading.Thread] = []
        self.runs: list[Run] = []

    def run(self) -> None:
        """Run until each task is done or has failed for good, and each worker has ended."""
        self._resources = [self._ask(requests.bind_resources({"memory": each})) for each in (1, 4)]
        for number in range(1, ARRAYS + 1):
            made = self._ask(requests.create_array(self._id, f"soak {number}", number))
            self._arrays[made["array_id"]] = []
        while not self._run_once():
            self._cluster.tally.count("resumes")
        while any(worker.is_alive() for worker in self._workers):
            self._cluster.sleep(1)
            self.sweep()

    def sweep(self) -> None:
        """Sweep all runs, as a client does all the time: a hot resume lets the workers of earlier ones go on."""
        for run in self.runs:
            self._ask(requests.sweep(run.run_id))

    def _life_of(self, instance_id: int) -> Life:
        key = split_task_instance_id(instance_id)
        assert key
        return draw(random.Random(f"{self._seed} {instance_id}"), sum(key))  # noqa: S311  # a script, not a secret

    def _run_once(self) -> bool:
        """Return whether all tasks have ended; otherwise the run has ended for another one."""
        run = self._begin()
        over = threading.Event()
        distributing = self._cluster.start(self._distribute, run, over)
        try:
            return self._loop(run)
        finally:
            over.set()
            distributing.join()

    def _begin(self) -> Run:
        """Bind all tasks and link a run."""
        for array_id in self._arrays:
            tasks = [self._describe(node, array_id) for node in range(1, self._size + 1)]
            self._arrays[array_id] = bind_tasks(self._ask, self._id, tasks)
        made = self._ask(requests.create_run(self._id, RUN_INCREMENT))
        run = Run(made["workflow_run_id"], self._rng.choice(self._increments), self._life_of)
        self.runs.append(run)
        self._cluster.tally.count("runs")
        self._ask(requests.move_run(run.run_id, "B"))
        return run

    def _describe(self, node: int, array_id: int) -> list[Any]:
        over = self._rng.random() < _STARTS_OVER
        command = "true" if node % 3 else _LONG_COMMAND
        return requests.task(node, array_id, self._resources[0], command, 2 + node % 4, start_over=over)

    def _distribute(self, run: Run, over: threading.Event) -> None:
        """Run one distributor after another."""
        while not (over.is_set() or self._cluster.ended.is_set()):
            rng = random.Random(self._rng.random())  # noqa: S311  # a script, not a secret
            with suppress(DiedError, UnansweredError):
                Distributor(self._cluster, run, self._start, rng).distribute(over)

    def _start(self, work: Callable[[], None]) -> None:
        """Start a worker, which outlives its distributor."""
        self._workers.append(self._cluster.start(work))

    def _loop(self, run: Run) -> bool:
        self._ask(requests.move_run(run.run_id, "R"))
        stuck = 0
        while True:
            self.sweep()
            self._ask(requests.beat_run(run.run_id, RUN_INCREMENT))
            before = dict(self._statuses)
            for array_id in self._arrays:
                self._look(array_id, run)
                self._queue(array_id, run)
            if self._statuses and set(self._statuses.values()) <= TERMINAL_TASK_STATUSES:
                self._ask(requests.move_run(run.run_id, "D"))
                return True
            stuck = stuck + 1 if before == self._statuses else 0
            if self._resumes() or stuck > STUCK_LOOPS:
                self._cluster.tally.count("stuck workflows", int(stuck > STUCK_LOOPS))
                self._end_for_another(run)
                return False
            self._cluster.sleep(self._rng.uniform(*SECONDS_OF_A_LOOP))

    def _look(self, array_id: int, run: Run) -> None:
        """Learn the tasks' statuses. Another array is asked, which queues none of them."""
        other = next(each for each in self._arrays if each != array_id)
        reply = self._ask(requests.queue(other, self._arrays[array_id], self._resources[0], run.run_id))
        for status, ids in reply["tasks_by_status"].items():
            self._statuses |= dict.fromkeys(ids, TaskStatus(status))

    def _queue(self, array_id: int, run: Run) -> None:
        """Queue the tasks that wait for their next attempt, with more memory where the last one lacked it."""
        for status, resources_id in zip(
            (TaskStatus.REGISTERING, TaskStatus.ADJUSTING_RESOURCES), self._resources, strict=True
        ):
            if ids := [each for each in self._arrays[array_id] if self._statuses[each] is status]:
                call = partial(self._ask, requests.queue(array_id, ids, resources_id, run.run_id))
                side_by_side([call] * (2 if self._rng.random() < _QUEUES_TWICE else 1))

    def _resumes(self) -> bool:
        return len(self.runs) <= MOST_RESUMES and self._cluster.befalls(self._rng, RESUMES)

    def _end_for_another(self, run: Run) -> None:
        """End a run, cold or hot."""
        kind = self._rng.choice("CH")
        self._cluster.tally.count("hot resumes" if kind == "H" else "cold resumes")
        self._ask(requests.set_resume(self._id, cold=kind == "C"))
        stopped = 1
        while stopped:
            stopped = self._ask(requests.terminate(run.run_id))["num_terminated"]
            self._cluster.tally.count("instances stopped by resumes", stopped)
        self._ask(requests.move_run(run.run_id, "T"))

    def _ask(self, request: Request) -> Any:
        return self._cluster.ask(request, self._rng).body
