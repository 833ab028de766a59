"""A worker node: claims an instance, reports, says how its command ended, and may die between any two requests."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from local.soak.client import Answer, Client, UnansweredError
from local.soak.record import Record
from local.soak.tally import Tally
from lockstep.statuses import TaskInstanceStatus

TI = TaskInstanceStatus

DIES: Final = 0.012
"""The share of workers that die at each point at which one may."""
SECONDS_BETWEEN_REPORTS: Final = (0.6, 1.8)
MOST_HEARTBEATS: Final = 5


class DiedError(Exception):
    """The worker is no more; it says nothing on the way."""


class Quirk(StrEnum):
    """What is odd about a worker's reports."""

    NONE = "none"
    TWICE = "last reports sent twice at once"
    LATE_HEARTBEAT = "heartbeats after the last report"
    OVERTAKEN = "heartbeats overtaken by the last report"
    LATE_START = "starts reported again after the end"
    SILENT = "silences"
    RIVAL = "rivals"


_QUIRKS: Final = [Quirk.NONE] * 12 + [each for each in Quirk if each is not Quirk.NONE]


class Fate(NamedTuple):
    """How a command ends, and what its worker says of it."""

    end: TaskInstanceStatus
    heartbeats: int
    silent_before: int
    """Which of its reports a silence comes before, if that is its quirk; the last report is one of them."""
    quirk: Quirk
    says: str

    @classmethod
    def drawn(cls, rng: random.Random, turn: int) -> "Fate":
        """Nearly always done. Quirks come in turn, so that a few dozen workers have them all."""
        [end] = rng.choices((TI.DONE, TI.ERROR, TI.RESOURCE_ERROR, TI.ERROR_FATAL), (78, 12, 8, 2))
        heartbeats, quirk = rng.randint(0, MOST_HEARTBEATS), _QUIRKS[turn % len(_QUIRKS)]
        says = f"the command ended in {end.name}, {rng.random()}"
        return cls(end, heartbeats, rng.randint(0, heartbeats), quirk, says)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instance stands in its array, by which its worker finds it."""

    array_id: int
    batch_num: int
    step: int
    increment: float
    """Seconds from each report of it to the next that is due."""


@dataclass(frozen=True, slots=True)
class Crew:
    """What all workers have in common."""

    client: Client
    record: Record
    tally: Tally


class Worker:
    """One of them. Its choices follow from its generator alone."""

    def __init__(self, crew: Crew, place: Place, name: str, turn: int, rng: random.Random) -> None:
        self._client, self._record, self._tally = crew.client, crew.record, crew.tally
        self._place, self._name, self._rng = place, name, rng
        self._fate = Fate.drawn(rng, turn)
        self._pid = rng.randint(2, 30_000)
        self._instance = 0

    @property
    def has_rival(self) -> bool:
        """Whether a second worker is to claim the same instance."""
        return self._fate.quirk is Quirk.RIVAL

    async def live(self) -> None:
        """Until it has ended, or dies."""
        self._tally.count("workers")
        self._tally.count("workers alive")
        try:
            await self._live()
        except DiedError:
            self._tally.count("worker kills")
        except UnansweredError:
            self._tally.count("workers without an answer")
        finally:
            self._tally.count("workers alive", -1)

    async def _live(self) -> None:
        place = self._place
        path = f"get_array_task_instance_id/{place.array_id}/{place.batch_num}/{place.step}"
        self._instance = (await self._send("GET", path)).body["task_instance_id"]
        if await self._start() is not TI.RUNNING:
            return
        for report in range(self._fate.heartbeats):
            await self._wait(report)
            status = await self._heartbeat()
            if status is TI.KILL_SELF:
                await self._kill_command()
            if status is not TI.RUNNING:
                return
        await self._wait(self._fate.heartbeats)
        await self._finish()

    async def _wait(self, report: int) -> None:
        """Before one of its reports."""
        await asyncio.sleep(self._rng.uniform(*SECONDS_BETWEEN_REPORTS))
        if self._fate.quirk is Quirk.SILENT and self._fate.silent_before == report:
            self._tally.count(Quirk.SILENT)
            await asyncio.sleep(self._place.increment * self._rng.uniform(1, 2.5))

    async def _start(self) -> TaskInstanceStatus:
        who = {"nodename": self._name, "process_group_id": self._pid, "next_report_increment": self._place.increment}
        answer = await self._report("log_running", who)
        status, told_of = TI(answer.body["task_instance"][1]), answer.body["task_instance"][0]
        if told_of != self._instance:
            self._tally.must_not_be(f"{self._name} asked for {self._instance} and was told of {told_of}")
        self._record.told(self._instance, status, answer.sent_at)
        if status is TI.RUNNING:
            self._record.told_to_run(self._instance, self._name, answer, self._place.increment)
        return status

    async def _heartbeat(self) -> TaskInstanceStatus:
        answer = await self._report("log_report_by", {"next_report_increment": self._place.increment})
        self._record.heard(self._instance, self._name, answer)
        return self._told(answer)

    async def _finish(self) -> None:
        quirk = self._fate.quirk
        if quirk is Quirk.TWICE:
            self._tally.count(quirk)
            await asyncio.gather(self._end(), self._end())
        elif quirk is Quirk.OVERTAKEN:
            self._tally.count(quirk)
            await asyncio.gather(self._heartbeat(), self._end())
        else:
            await self._end()
        late: dict[Quirk, Callable[[], Awaitable[object]]] = {
            Quirk.LATE_HEARTBEAT: self._heartbeat,
            Quirk.LATE_START: self._start,
        }
        if quirk in late:
            self._tally.count(quirk)
            await late[quirk]()

    async def _end(self) -> TaskInstanceStatus:
        if self._fate.end is TI.DONE:
            self._record.instances[self._instance].done_reported = True
            said = {"nodename": self._name, "stdout_log": "well", "stderr_log": ""}
            return self._told(await self._report("log_done", said))
        return await self._fail(self._fate.end, self._fate.says)

    async def _kill_command(self) -> None:
        """As told; or it finishes first."""
        self._tally.count("workers told to stop")
        await asyncio.sleep(self._rng.uniform(*SECONDS_BETWEEN_REPORTS))
        await self._fail(TI.ERROR_FATAL, "the command was killed as told")

    async def _fail(self, end: TaskInstanceStatus, why: str) -> TaskInstanceStatus:
        instance = self._record.instances[self._instance]
        instance.may_say.add(why)
        said = {"nodename": self._name, "error_state": end, "error_description": why}
        answer = await self._report("log_error_worker_node", said)
        instance.must_say.add(why)
        return self._told(answer)

    def _told(self, answer: Answer) -> TaskInstanceStatus:
        status = TI(answer.body["status"])
        self._record.told(self._instance, status, answer.sent_at)
        return status

    async def _report(self, route: str, body: dict[str, Any]) -> Answer:
        return await self._send("POST", f"task_instance/{self._instance}/{route}", body)

    async def _send(self, method: str, path: str, body: object = None) -> Answer:
        """It may die before, after, or while it waits for the answer."""
        if not self._tally.calm and self._rng.random() < DIES:
            raise DiedError
        answering = self._client.send(self._rng, method, path, body)
        if not self._tally.calm and self._rng.random() < DIES:
            await self._die_waiting(answering)
        answer = await answering
        if not self._tally.calm and self._rng.random() < DIES:
            raise DiedError
        return answer

    async def _die_waiting(self, answering: Awaitable[Answer]) -> None:
        try:
            async with asyncio.timeout(self._rng.uniform(0.001, 0.04)):
                await answering
        except TimeoutError:
            pass
        raise DiedError
