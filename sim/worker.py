"""A worker node: finds its instance, claims it, reports, says how its command ended, and may die between requests."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lockstep.fsm.statuses import TaskInstanceStatus
from sim import requests
from sim.client import Reply, UnansweredError
from sim.cluster import LONGEST_HEARING, Cluster, DiedError, side_by_side
from sim.life import Life, Quirk
from sim.requests import Request

TI = TaskInstanceStatus

SILENCE: Final = (1.0, 2.5)
"""How long a silence is, in times of what a report is good for."""


@dataclass(frozen=True, slots=True)
class Place:
    """An instance's place in its array, by which its worker finds it."""

    instance_id: int
    array_id: int
    batch_num: int
    step: int
    increment: float
    """Seconds from each report to the next that is due."""


class Worker:
    """One worker node. Its choices follow from its generator alone."""

    def __init__(self, cluster: Cluster, place: Place, life: Life, name: str, rng: random.Random) -> None:
        self._cluster, self._record, self._tally = cluster, cluster.record, cluster.tally
        self._place, self._life, self._name, self._rng = place, life, name, rng
        self._id = place.instance_id
        self._pid = rng.randint(2, 30_000)
        self._says = f"the command ended in {life.end.name}, {rng.random()}"

    def live(self) -> None:
        """Run from start to end, or until it dies; its rival beside it."""
        rival = None
        if self._life.quirk is Quirk.RIVAL:
            self._tally.count(Quirk.RIVAL)
            other = Worker(self._cluster, self._place, self._life, f"rival of {self._name}", self._rng)
            rival = self._cluster.start(other.run, self._life.rival_starts_after, other.claim_and_report)
        self.run(self._life.starts_after, self._find_and_report)
        if rival:
            rival.join()

    def run(self, after: float, work: Callable[[], None]) -> None:
        """Do some work after some seconds, and count how that ended."""
        self._tally.count("workers")
        self._tally.count("workers alive")
        try:
            self._cluster.sleep(after)
            work()
        except DiedError:
            self._tally.count("worker kills")
        except UnansweredError:
            self._tally.count("workers without an answer")
        finally:
            self._tally.count("workers alive", -1)

    def _find_and_report(self) -> None:
        place = self._place
        found = self._ask(requests.find_instance(place.array_id, place.batch_num, place.step)).body
        self._expect("found", found["task_instance_id"])
        self.claim_and_report()

    def claim_and_report(self) -> None:
        """Claim the instance; if told to run it, send heartbeats and say how the command ended."""
        if self._claim() is not TI.RUNNING:
            return
        for report in range(self._life.heartbeats):
            self._wait(report)
            status = self._beat()
            if status is TI.KILL_SELF:
                self._kill_command()
            if status is not TI.RUNNING:
                return
        self._wait(self._life.heartbeats)
        self._finish()

    def _wait(self, report: int) -> None:
        """Wait before a report."""
        self._cluster.sleep(self._rng.uniform(*self._cluster.conduct.seconds_between_reports))
        if self._life.quirk is Quirk.SILENT and self._life.silent_before == report:
            self._tally.count(Quirk.SILENT)
            self._cluster.sleep(self._place.increment * self._rng.uniform(*SILENCE))

    def _claim(self) -> TI:
        reply = self._ask(requests.log_running(self._id, self._name, self._pid, self._place.increment))
        instance_id, status, *_ = reply.body["task_instance"]
        self._expect("was told to run", instance_id)
        if self._told(status, reply) is TI.RUNNING:
            self._record.told_to_run(self._id, self._name, reply, self._place.increment)
        return TI(status)

    def _beat(self) -> TI:
        reply = self._ask(requests.log_report_by(self._id, self._place.increment))
        self._record.heard(self._id, self._name, reply)
        return self._told(reply.body["status"], reply)

    def _finish(self) -> None:
        """Report the end, with the life's quirk."""
        quirk = self._life.quirk
        beside = {Quirk.TWICE: self._end, Quirk.OVERTAKEN: self._beat}
        after = {Quirk.LATE_HEARTBEAT: self._beat, Quirk.LATE_START: self._claim}
        if quirk in beside:
            self._tally.count(quirk)
            side_by_side([beside[quirk], self._end])
        else:
            self._end()
        if quirk in after:
            self._tally.count(quirk)
            after[quirk]()

    def _end(self) -> TI:
        if self._life.end is not TI.DONE:
            return self._fail(self._life.end, self._says)
        self._record.reports_done(self._id)
        reply = self._ask(requests.log_done(self._id, self._name, **self._cluster.conduct.output))
        return self._told(reply.body["status"], reply)

    def _kill_command(self) -> None:
        """Stop as told."""
        self._tally.count("workers told to stop")
        self._cluster.sleep(self._rng.uniform(*self._cluster.conduct.seconds_between_reports))
        self._fail(TI.ERROR_FATAL, "the command was killed as told")

    def _fail(self, end: TI, why: str) -> TI:
        self._record.reports_error(self._id, why, answered=False)
        reply = self._ask(requests.log_error(self._id, self._name, end, why))
        told = self._told(reply.body["status"], reply)
        if told is not TI.KILL_SELF and self._record.is_run_by(self._id, self._name):
            self._record.reports_error(self._id, why, answered=True)
        return told

    def _told(self, status: str, reply: Reply) -> TI:
        self._record.told(self._id, TI(status), reply.sent_at)
        return TI(status)

    def _expect(self, what: str, instance_id: int) -> None:
        if instance_id != self._id:
            self._tally.must_not_be(f"{self._name}, started for {self._id}, {what} {instance_id}")

    def _ask(self, request: Request) -> Reply:
        """Send a request; die before it, while waiting for the answer, or after it."""
        dies = self._cluster.conduct.worker_dies
        if self._cluster.befalls(self._rng, dies):
            raise DiedError
        if self._cluster.befalls(self._rng, dies):
            self._cluster.client.send(request, self._rng.uniform(0.001, LONGEST_HEARING))
            raise DiedError
        reply = self._cluster.ask(request, self._rng)
        if self._cluster.befalls(self._rng, dies):
            raise DiedError
        return reply
