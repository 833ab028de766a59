"""A run's distributor: takes what is queued, submits it to the cluster, and settles what fell silent. It may die."""

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Final

from lockstep.fsm.statuses import TaskInstanceStatus
from sim import requests
from sim.client import Reply
from sim.cluster import Cluster, DiedError, side_by_side
from sim.life import Life
from sim.requests import Request
from sim.worker import Place, Worker

TI = TaskInstanceStatus

SECONDS_OF_A_LOOP: Final = (0.8, 1.6)
TRIAGES_AFTER: Final = 2.0
"""Seconds: it asks the cluster first."""
_ASKS_NOBODY: Final = 1 / 4
"""The share of loops that leave a silent instance alone."""
_KNOWS: Final = 1 / 3
"""The share of silent instances whose cause the cluster knows."""


@dataclass(frozen=True, slots=True)
class Run:
    """A workflow run, and the script of its attempts."""

    run_id: int
    increment: float
    """Seconds from each report to the next that is due."""
    life_of: Callable[[int], Life]
    """By instance id."""


class Distributor:
    """One process. Its successor knows nothing of what this one had in mind."""

    def __init__(
        self, cluster: Cluster, run: Run, start: Callable[[Callable[[], None]], object], rng: random.Random
    ) -> None:
        self._cluster, self._run, self._start, self._rng = cluster, run, start, rng
        self._record = cluster.record
        self._batch_of: dict[int, tuple[int, int]] = {}
        self._launched: set[int] = set()
        self._on_cluster: Counter[int] = Counter()
        """Workers of each instance that wait or run, as the cluster tells."""
        self._silent_since: dict[int, float] = {}

    def distribute(self, over: Event) -> None:
        """Loop until it is over.

        Raises:
            DiedError: it died.
            UnansweredError: it had no answer.
        """
        for status in "IO":
            self._ask(requests.move_run(self._run.run_id, status))
        while not over.is_set():
            self._loop()
            if self._cluster.befalls(self._rng, self._cluster.conduct.distributor_dies):
                self._cluster.tally.count("distributor kills")
                raise DiedError
            self._cluster.sleep(self._rng.uniform(*SECONDS_OF_A_LOOP))

    def _loop(self) -> None:
        if queued := self._poll(TI.QUEUED):
            for array_id, batch_num, ids in self.take(queued):
                self.submit(array_id, batch_num, ids, self._find_step)
        if waiting := sorted(each for each in self._launched if self._on_cluster[each]):
            self._ask(requests.beat_launched(waiting, self._run.increment))
        self._launched -= set(self._poll(TI.LAUNCHED, sorted(self._launched)))
        for status in (TI.TRIAGING, TI.NO_HEARTBEAT):
            for instance_id in self._poll(status):
                self._triage(instance_id, status)
        batches = {self._batch_of[each] for each in self._poll(TI.KILL_SELF) if each in self._batch_of}
        for batch in batches:
            if self._rng.random() < 1 / 2:
                self._ask(requests.kill(*batch))

    def _poll(self, status: TI, known: Sequence[int] | None = None) -> list[int]:
        """Return the instances that came to the status; of the known ones, those that left it."""
        reply = self._ask(requests.poll(self._run.run_id, status, known or []))
        updates: dict[str, list[int]] = reply.body["status_updates"]
        for told, ids in updates.items():
            for instance_id in ids:
                self._record.told(instance_id, TI(told), reply.sent_at)
        return [each for told, ids in updates.items() if (told == status) is (known is None) for each in ids]

    def _find_step(self, instance_id: int) -> int:
        return int(self._ask(requests.get_instance(instance_id)).body["task_instance"]["array_step_id"])

    def take(self, ids: Sequence[int]) -> list[tuple[int, int, list[int]]]:
        """Take queued instances. Returns array, batch number and instances of each batch."""
        reply = self._ask(requests.instantiate(ids))
        return [(array_id, batch_num, each) for array_id, _, batch_num, _, each in reply.body["task_instance_batches"]]

    def submit(self, array_id: int, batch_num: int, ids: Sequence[int], step_of: Callable[[int], int]) -> None:
        """Submit a batch's instances. Their workers may be quicker than the report of the launch."""
        self._batch_of |= dict.fromkeys(ids, (array_id, batch_num))
        lives = {each: self._run.life_of(each) for each in ids}
        side_by_side([partial(self._report_refused, each) for each, life in lives.items() if life.refused])
        side_by_side([partial(self._start_worker, each, life, step_of) for each, life in lives.items() if life.starts])
        self._report_launched(array_id, batch_num, {each: life for each, life in lives.items() if not life.refused})

    def _start_worker(self, instance_id: int, life: Life, step_of: Callable[[int], int]) -> None:
        place = Place(instance_id, *self._batch_of[instance_id], step_of(instance_id), self._run.increment)
        rng = random.Random(f"{self._rng.random()} {instance_id}")  # noqa: S311  # a script, not a secret
        worker = Worker(self._cluster, place, life, f"n{instance_id}-{rng.random()}", rng)

        def work() -> None:
            worker.live()
            self._on_cluster[instance_id] -= 1

        self._on_cluster[instance_id] += 1
        self._start(work)

    def _report_refused(self, instance_id: int) -> None:
        why = "the cluster gave no id"
        self._record.reports_error(instance_id, why, answered=False)
        reply = self._ask(requests.log_no_distributor_id(instance_id, why))
        self._record.reports_error(instance_id, why, answered=True)
        if not reply.body["message"]:
            self._record.told(instance_id, TI.NO_DISTRIBUTOR_ID, reply.sent_at)

    def _report_launched(self, array_id: int, batch_num: int, lives: Mapping[int, Life]) -> None:
        one_by_one = self._rng.random() < self._cluster.conduct.launched_singly
        singly = [each for each, life in lives.items() if one_by_one or life.launched_for is not None]
        for each in singly:
            increment = lives[each].launched_for
            self._report_one_launched(each, self._run.increment if increment is None else increment)
        if together := sorted(lives.keys() - set(singly)):
            self._ask(requests.launch(array_id, batch_num, self._run.increment))
            self._ask(requests.log_distributor_ids(array_id, {each: f"c{each}" for each in together}))
        self._launched |= set(lives)
        self._record.launched(lives)

    def _report_one_launched(self, instance_id: int, increment: float) -> None:
        at = time.time()
        self._record.in_limbo(instance_id, at, at)
        reply = self._ask(requests.log_distributor_id(instance_id, f"c{instance_id}", increment))
        self._record.in_limbo(instance_id, at, reply.sent_at)

    def _triage(self, instance_id: int, status: TI) -> None:
        """Settle an instance: the cluster knows the cause or not. Or leave it to the next loop."""
        at = time.monotonic()
        silent = at - self._silent_since.setdefault(instance_id, at)
        if silent < TRIAGES_AFTER or self._rng.random() < _ASKS_NOBODY:
            return
        known = self._rng.random() < _KNOWS
        ends = (TI.RESOURCE_ERROR, TI.UNKNOWN_ERROR) if known else (TI.UNKNOWN_ERROR,)
        end = self._rng.choice(ends) if status is TI.TRIAGING else TI.ERROR
        self.settle(instance_id, end, f"triage found {end} in {status}", known=known)

    def settle(self, instance_id: int, end: TI, why: str, *, known: bool = False) -> None:
        """Report the end of an instance whose end no worker node reports."""
        self._record.reports_error(instance_id, why, answered=False)
        reply = self._ask(requests.log_triaged(instance_id, end, why, known=known))
        if not reply.body["message"]:
            self._record.reports_error(instance_id, why, answered=True)
            self._record.told(instance_id, end, reply.sent_at)

    def _ask(self, request: Request) -> Reply:
        return self._cluster.ask(request, self._rng)
