"""The objects that the programs of a simulated cluster share: a client, threads, and the faults that they meet."""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeVar

from sim.client import TIMEOUT, Client, Reply, UnansweredError, describe, pause
from sim.record import Record
from sim.requests import Request
from sim.tally import Tally

R = TypeVar("R")

SHORTENED: Final = 0.2
"""Programs here wait this part of what Jobmon's clients wait, at most LONGEST_PAUSE: the number of tries matters."""
LONGEST_PAUSE: Final = 2.0
LONGEST_HEARING: Final = 0.04
"""Seconds after which a sender that will not hear its reply has gone away."""
MOST_AT_ONCE: Final = 8
"""Requests of one program."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """The behaviour of programs and their faults. By default there are no faults, and nothing takes time."""

    tries: int = 1
    """How often a request is sent until it is answered 200."""
    reply_lost: float = 0.0
    """The share of requests whose sender goes away before the reply has come, and sends again."""
    worker_dies: float = 0.0
    """The share of workers that die at each point where one may."""
    distributor_dies: float = 0.0
    """The share of distributors that die in each loop."""
    launched_singly: float = 0.0
    """The share of batches that are launched instance by instance."""
    seconds_between_reports: tuple[float, float] = (0.0, 0.0)
    output: Mapping[str, str] = field(default_factory=dict)
    """What log_done says of a command's output."""


class DiedError(Exception):
    """The program has died; it says nothing on the way."""


class Cluster:
    """One simulated cluster. Any thread may use it."""

    def __init__(self, client: Client, tally: Tally, conduct: Conduct) -> None:
        self.client, self.tally, self.conduct = client, tally, conduct
        self.record = Record(tally)
        self.calm = False
        """Nothing is killed any more: no program dies, and every request must be answered 200."""
        self.ended = threading.Event()
        """Set it to let every program stop at its next request or pause."""

    def befalls(self, rng: random.Random, share: float) -> bool:
        """Draw whether a fault happens."""
        return not self.calm and rng.random() < share

    def sleep(self, seconds: float) -> None:
        """Wait.

        Raises:
            UnansweredError: the cluster has ended.
        """
        if self.ended.wait(seconds):
            raise UnansweredError("the cluster has ended")

    def start(self, work: Callable[..., object], *arguments: object) -> threading.Thread:
        """Run a program in a thread of its own. One that breaks is a violation."""

        def run() -> None:
            try:
                work(*arguments)
            except Exception as error:  # noqa: BLE001  # nobody else hears of it
                if not self.ended.is_set():
                    self.tally.must_not_be(f"{getattr(work, '__qualname__', work)} broke: {error!r}")

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def ask(self, request: Request, rng: random.Random) -> Reply:
        """Send a request until it is answered 200.

        Raises:
            UnansweredError: it was not, or was answered what it must not be.
        """
        first_sent_at = time.time()
        for tries in range(1, self.conduct.tries + 1):
            self.sleep(0)  # or end with the cluster
            calm, leaves = self.calm, self.befalls(rng, self.conduct.reply_lost)
            reply = self.client.send(request, rng.uniform(0.001, LONGEST_HEARING) if leaves else None)
            if reply.ok:
                return reply._replace(tries=tries, first_sent_at=first_sent_at)
            self._judge(request, reply, calm=calm)
            self.tally.count("retries")
            if leaves and reply.outcome == TIMEOUT:
                self.tally.count("lost replies")
            else:
                self.sleep(min(LONGEST_PAUSE, SHORTENED * pause(tries)) * rng.uniform(0.5, 1))
        what = f"{request.method} {request.path} was not answered 200 in {self.conduct.tries} tries"
        if not self.calm:  # otherwise each try is a violation
            self.tally.must_not_be(what)
        raise UnansweredError(what)

    def _judge(self, request: Request, reply: Reply, *, calm: bool) -> None:
        """While things are killed a request may get no answer, or a 503. Afterwards it may not."""
        passes = reply.outcome == "503" or not reply.outcome.isdigit()
        if passes and not calm:
            return
        self.tally.must_not_be(describe(request, reply))
        if not passes:
            raise UnansweredError(describe(request, reply))


def side_by_side(calls: Sequence[Callable[[], R]]) -> list[R]:
    """Make calls at the same moment and return their results."""
    if len(calls) <= 1:
        return [call() for call in calls]
    with ThreadPoolExecutor(min(len(calls), MOST_AT_ONCE)) as threads:
        return [future.result() for future in [threads.submit(call) for call in calls]]
