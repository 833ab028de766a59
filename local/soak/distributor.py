"""A run's distributor: takes what is queued, submits it, and settles what fell silent. It too may die."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from local.soak.client import Answer, Client
from local.soak.workers import Crew, DiedError, Place, Worker
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.task_instance.item import INSTANCES_PER_TASK

TI = TaskInstanceStatus

SECONDS_OF_A_LOOP: Final = (0.8, 1.6)
DIES: Final = 0.015
"""The share of distributors that die at each loop."""
TRIAGES_AFTER: Final = 2.0
"""Seconds: it asks the cluster first."""
NO_ID, NEVER_STARTS, STARTS_EARLY, LAUNCHED_SINGLY = 0.02, 0.03, 0.2, 0.3
Start = Callable[[Coroutine[Any, Any, None]], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What it distributes."""

    run_id: int
    increment: float
    """Seconds from each report to the next that is due."""
    seed: str


class Distributor:
    """One process of it. A successor knows nothing of what this one had in mind."""

    def __init__(self, crew: Crew, run: Run, start: Start, rng: random.Random) -> None:
        self._crew, self._run, self._start, self._rng = crew, run, start, rng
        self._client: Client = crew.client
        self._batch_of: dict[int, tuple[int, int]] = {}
        self._launched: set[int] = set()
        self._on_cluster: Counter[int] = Counter()
        """Workers of each instance that wait or run: what the cluster tells."""
        self._silent_since: dict[int, float] = {}

    async def distribute(self, over: asyncio.Event) -> None:
        """Until it is over, or it dies.

        Raises:
            DiedError: it died.
            UnansweredError: it had no answer.
        """
        path = f"workflow_run/{self._run.run_id}/update_status"
        for status in ("I", "O"):
            await self._send("PUT", path, {"status": status})
        while not over.is_set():
            await self._loop()
            if not self._crew.tally.calm and self._rng.random() < DIES:
                self._crew.tally.count("distributor kills")
                raise DiedError
            await asyncio.sleep(self._rng.uniform(*SECONDS_OF_A_LOOP))

    async def _loop(self) -> None:
        if queued := await self._poll(TI.QUEUED):
            taken = await self._send("POST", "task_instance/instantiate_task_instances", {"task_instance_ids": queued})
            for array_id, _, batch_num, _, ids in taken.body["task_instance_batches"]:
                await self._submit(array_id, batch_num, ids)
        if waiting := sorted(each for each in self._launched if self._on_cluster[each]):
            beat = {"task_instance_ids": waiting, "next_report_increment": self._run.increment}
            await self._send("POST", "task_instance/log_report_by/batch", beat)
        self._launched -= set(await self._poll(TI.LAUNCHED, sorted(self._launched)))
        for status in (TI.TRIAGING, TI.NO_HEARTBEAT):
            for task_instance_id in await self._poll(status):
                await self._triage(task_instance_id, status)
        batches = {self._batch_of[each] for each in await self._poll(TI.KILL_SELF) if each in self._batch_of}
        for array_id, batch_num in batches:
            if self._rng.random() < 1 / 2:
                await self._send("POST", f"array/{array_id}/transition_to_killed", {"batch_number": batch_num})

    async def _poll(self, status: TaskInstanceStatus, known: list[int] | None = None) -> list[int]:
        """Those that came to the status; of those that are known, those that left it."""
        body = {"task_instance_ids": known or [], "status": status}
        answer = await self._send("POST", f"workflow_run/{self._run.run_id}/sync_status", body)
        updates: dict[str, list[int]] = answer.body["status_updates"]
        for told, ids in updates.items():
            for task_instance_id in ids:
                self._crew.record.told(task_instance_id, TI(told), answer.sent_at)
        return [each for told, ids in updates.items() if (told == status) is (known is None) for each in ids]

    async def _submit(self, array_id: int, batch_num: int, ids: list[int]) -> None:
        """The cluster takes the batch, but for some of it, and may be quicker than the word that it did."""
        self._batch_of |= dict.fromkeys(ids, (array_id, batch_num))
        fates = {each: random.Random(f"{self._run.seed} {each}") for each in ids}  # noqa: S311  # a script, not a secret
        refused = [each for each, rng in fates.items() if rng.random() < NO_ID]
        await asyncio.gather(*map(self._report_no_id, refused))
        taken = [each for each in ids if each not in refused]
        started = [each for each in taken if fates[each].random() >= NEVER_STARTS]
        await asyncio.gather(*(self._start_workers(each, fates[each]) for each in started))
        await self._report_launched(array_id, batch_num, taken)

    async def _start_workers(self, task_instance_id: int, rng: random.Random) -> None:
        found = (await self._send("GET", f"task_instance/{task_instance_id}")).body["task_instance"]
        at = Place(*self._batch_of[task_instance_id], found["array_step_id"], self._run.increment)
        turn = sum(divmod(task_instance_id, INSTANCES_PER_TASK))
        worker = Worker(self._crew, at, f"n{task_instance_id}-{self._rng.random()}", turn, rng)
        self._start(self._work(task_instance_id, 0 if rng.random() < STARTS_EARLY else rng.uniform(0.5, 3), worker))
        if worker.has_rival:
            self._crew.tally.count("rivals")
            rival = Worker(self._crew, at, f"r{task_instance_id}-{self._rng.random()}", turn, rng)
            self._start(self._work(task_instance_id, rng.choice((0.0, rng.uniform(0, 10))), rival))

    async def _work(self, task_instance_id: int, wait: float, worker: Worker) -> None:
        self._on_cluster[task_instance_id] += 1
        await asyncio.sleep(wait)
        await worker.live()
        self._on_cluster[task_instance_id] -= 1

    async def _report_no_id(self, task_instance_id: int) -> None:
        instance, why = self._crew.record.instances[task_instance_id], "the cluster gave no id"
        instance.may_say.add(why)
        await self._send("POST", f"task_instance/{task_instance_id}/log_no_distributor_id", {"no_id_err_msg": why})
        instance.must_say.add(why)

    async def _report_launched(self, array_id: int, batch_num: int, ids: list[int]) -> None:
        increment = {"next_report_increment": self._run.increment}
        if self._rng.random() < LAUNCHED_SINGLY:
            for task_instance_id in ids:
                body = {"distributor_id": f"c{task_instance_id}", **increment}
                at = time.time()
                self._crew.record.in_limbo(task_instance_id, at, at)
                answer = await self._send("POST", f"task_instance/{task_instance_id}/log_distributor_id", body)
                self._crew.record.in_limbo(task_instance_id, at, answer.sent_at)
        else:
            body = {"batch_number": batch_num, **increment}
            await self._send("POST", f"array/{array_id}/transition_to_launched", body)
            given = {str(each): f"c{each}" for each in ids}
            await self._send("POST", f"array/{array_id}/log_distributor_id", given)
        self._launched |= set(ids)

    async def _triage(self, task_instance_id: int, status: TaskInstanceStatus) -> None:
        """The cluster knows the cause, or not, or nobody asks: then the sweep settles it."""
        at = time.monotonic()
        if at - self._silent_since.setdefault(task_instance_id, at) < TRIAGES_AFTER or self._rng.random() < 1 / 4:
            return
        known = self._rng.random() < 1 / 3
        ends = (TI.RESOURCE_ERROR, TI.UNKNOWN_ERROR) if known else (TI.UNKNOWN_ERROR,)
        end = self._rng.choice(ends) if status is TI.TRIAGING else TI.ERROR
        instance, why = self._crew.record.instances[task_instance_id], f"triage found {end} in {status}"
        instance.may_say.add(why)
        route = "log_known_error" if known else "log_unknown_error"
        body = {"error_state": end, "error_message": why}
        answer = await self._send("POST", f"task_instance/{task_instance_id}/{route}", body)
        if not answer.body["message"]:
            instance.must_say.add(why)

    async def _send(self, method: str, path: str, body: object = None) -> Answer:
        return await self._client.send(self._rng, method, path, body)
