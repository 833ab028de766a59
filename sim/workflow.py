"""A workflow's client: binds its tasks, queues them until each has ended, sweeps, and resumes now and then."""

import asyncio
import random
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from local.soak.client import UnansweredError
from local.soak.distributor import Distributor, Run
from local.soak.system import HEARTBEAT_BUFFER_SECONDS
from local.soak.workers import Crew, DiedError
from lockstep.statuses import TERMINAL_TASK_STATUSES, TaskStatus

SECONDS_OF_A_LOOP: Final = (1.0, 2.0)
RESUMES: Final = 0.03
"""The share of loops after which somebody resumes the workflow."""
MOST_RESUMES: Final = 2
STUCK_LOOPS: Final = 40
"""Without any task moving: then a person would resume it."""
ARRAYS: Final = 2
INCREMENTS: Final = (HEARTBEAT_BUFFER_SECONDS, HEARTBEAT_BUFFER_SECONDS / 2)
"""Reports as far apart as the functions expect them, and closer."""


class Workflow:
    """One of them, with some arrays of as many tasks."""

    def __init__(self, crew: Crew, workflow_id: int, size: int, seed: str) -> None:
        self._crew, self._id, self._size = crew, workflow_id, size
        self._seed = f"{seed} {workflow_id}"
        self._rng = random.Random(self._seed)  # noqa: S311  # a script, not a secret
        self._resources: list[int] = []
        self._arrays: dict[int, list[int]] = {}
        """The tasks of each."""
        self._statuses: dict[int, TaskStatus] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self.runs: list[Run] = []

    async def run(self) -> None:
        """Until each task is done or has failed for good, and each worker has ended."""
        memory = ({"memory": 1}, {"memory": 4})
        self._resources = [
            await self._ask("POST", "task/bind_resources", {"queue_id": 1, "requested_resources": each})
            for each in memory
        ]
        for number in range(ARRAYS):
            body = {"workflow_id": self._id, "task_template_version_id": number + 1, "max_concurrently_running": 9}
            made = await self._ask("POST", "array", {**body, "name": f"soak {number}"})
            self._arrays[made["array_id"]] = []
        while not await self._run_once():
            self._crew.tally.count("resumes")
        while self._workers:
            await asyncio.sleep(1)
            await self.sweep()

    def stop(self) -> None:
        """End the workers that are still there: nobody waits for them any more."""
        for worker in self._workers:
            worker.cancel()

    async def sweep(self) -> None:
        """What a client asks for all the time; of its earlier runs too, whose workers a hot resume lets go on."""
        for run in self.runs:
            await self._ask("POST", f"workflow_run/{run.run_id}/set_status_for_triaging", {})

    async def _run_once(self) -> bool:
        """Whether all tasks have ended; otherwise the run has ended for another one."""
        run = await self._begin()
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._distribute(run, over))
            try:
                return await self._loop(run)
            finally:
                over.set()

    async def _begin(self) -> Run:
        """A run with all tasks bound to it."""
        made = await self._ask("POST", "workflow_run", {"workflow_id": self._id, "next_report_increment": 90})
        run = Run(made["workflow_run_id"], self._rng.choice(INCREMENTS), self._seed)
        self.runs.append(run)
        self._crew.tally.count("runs")
        for array_id in self._arrays:
            rows = {str(node): self._row(node, array_id) for node in range(1, self._size + 1)}
            bound = await self._ask("PUT", "task/bind_tasks_no_args", {"workflow_id": self._id, "tasks": rows})
            self._arrays[array_id] = sorted(task_id for task_id, _ in bound["tasks"].values())
        await self._ask("PUT", f"workflow_run/{run.run_id}/update_status", {"status": "B"})
        return run

    def _row(self, node: int, array_id: int) -> list[Any]:
        """A task as clients send it; now and then one that starts over even if it runs."""
        resources, max_attempts, over = self._resources[0], 2 + node % 4, self._rng.random() < 1 / 4
        return [node, f"args of {array_id}", array_id, resources, f"t{node}", "true", max_attempts, over]

    async def _distribute(self, run: Run, over: asyncio.Event) -> None:
        """One distributor after another."""
        while not over.is_set():
            rng = random.Random(self._rng.random())  # noqa: S311  # a script, not a secret
            with suppress(DiedError, UnansweredError):
                await Distributor(self._crew, run, self._start, rng).distribute(over)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Workers outlive who started them."""
        worker = asyncio.get_running_loop().create_task(work)
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def _loop(self, run: Run) -> bool:
        await self._ask("PUT", f"workflow_run/{run.run_id}/update_status", {"status": "R"})
        stuck = 0
        while True:
            await self.sweep()
            beat = {"status": "R", "next_report_increment": 90}
            await self._ask("POST", f"workflow_run/{run.run_id}/log_heartbeat", beat)
            before = dict(self._statuses)
            for array_id in self._arrays:
                await self._look(array_id, run)
                await self._queue(array_id, run)
            if self._statuses and set(self._statuses.values()) <= TERMINAL_TASK_STATUSES:
                await self._ask("PUT", f"workflow_run/{run.run_id}/update_status", {"status": "D"})
                return True
            stuck = stuck + 1 if before == self._statuses else 0
            if self._resumes() or stuck > STUCK_LOOPS:
                self._crew.tally.count("stuck workflows", int(stuck > STUCK_LOOPS))
                await self._end_for_another(run)
                return False
            await asyncio.sleep(self._rng.uniform(*SECONDS_OF_A_LOOP))

    async def _look(self, array_id: int, run: Run) -> None:
        """How the tasks stand. Asked of another array, no task is queued."""
        other = next(each for each in self._arrays if each != array_id)
        for status, ids in (await self._call_queue(other, self._arrays[array_id], 0, run)).items():
            self._statuses |= dict.fromkeys(ids, TaskStatus(status))

    async def _queue(self, array_id: int, run: Run) -> None:
        """What waits for its next attempt; with more memory where that was wanting. Now and then twice at once."""
        for status, resources in ((TaskStatus.REGISTERING, 0), (TaskStatus.ADJUSTING_RESOURCES, 1)):
            if ids := [each for each in self._arrays[array_id] if self._statuses[each] is status]:
                callers = 2 if self._rng.random() < 1 / 8 else 1
                calls = [self._call_queue(array_id, ids, resources, run) for _ in range(callers)]
                await asyncio.gather(*calls)

    async def _call_queue(self, array_id: int, ids: list[int], resources: int, run: Run) -> dict[str, list[int]]:
        body = {"task_ids": ids, "task_resources_id": self._resources[resources], "workflow_run_id": run.run_id}
        answer = await self._ask("POST", f"array/{array_id}/queue_task_batch", body)
        by_status: dict[str, list[int]] = answer["tasks_by_status"]
        return by_status

    def _resumes(self) -> bool:
        return not self._crew.tally.calm and len(self.runs) <= MOST_RESUMES and self._rng.random() < RESUMES

    async def _end_for_another(self, run: Run) -> None:
        """Cold or hot."""
        path = f"workflow_run/{run.run_id}"
        kind = self._rng.choice("CH")
        self._crew.tally.count("hot resumes" if kind == "H" else "cold resumes")
        await self._ask("PUT", f"{path}/update_status", {"status": kind})
        stopped = 1
        while stopped:
            stopped = (await self._ask("PUT", f"{path}/terminate_task_instances"))["num_terminated"]
            self._crew.tally.count("instances stopped by resumes", stopped)
        await self._ask("PUT", f"{path}/update_status", {"status": "T"})

    async def _ask(self, method: str, path: str, body: object = None) -> Any:
        return (await self._crew.client.send(self._rng, method, path, body)).body
