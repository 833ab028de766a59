"""The soak from start to end."""

import itertools
import random
import threading
import time
from typing import Final, NamedTuple

from rich.console import Console

from local import engine
from local.run import table_name
from ops.audit.audit import audit
from ops.audit.reader import Budget, CannotReadError, Reader
from ops.audit.report import counts
from ops.audit.seen import Seen
from sim.client import Client, UnansweredError
from sim.cluster import Cluster, Conduct, side_by_side
from sim.soak.show import View, closing
from sim.soak.storm import Storm
from sim.soak.verdict import judge, partitions, unended
from sim.system import System, system
from sim.tally import Tally
from sim.workflow import Workflow

HEARTBEAT_BUFFER_SECONDS: Final = 6.0
"""The functions' setting: what falls silent is found within the soak."""
INCREMENTS: Final = (HEARTBEAT_BUFFER_SECONDS, HEARTBEAT_BUFFER_SECONDS / 2)
"""Reports as far apart as the functions expect them, and closer."""
CONDUCT: Final = Conduct(
    tries=60,
    reply_lost=0.04,
    worker_dies=0.012,
    distributor_dies=0.015,
    launched_singly=0.3,
    seconds_between_reports=(0.6, 1.8),
    output={"stdout_log": "well", "stderr_log": ""},
)
SECONDS_BETWEEN_AUDITS: Final = 5.0
DRAIN_SWEEPS: Final = 60
"""After the last worker has ended: what nobody reports of any more is overdue long before."""


class Plan(NamedTuple):
    """The length and size of a soak."""

    seed: str
    minutes: float | None
    """None: until there has been a fault of each kind."""
    workflows: int = 10
    """How many run at once."""
    tasks: int = 40
    """The number of tasks in each array."""
    gap: tuple[float, float] = (8.0, 25.0)
    """Seconds from one fault to the next."""


def soak(plan: Plan, console: Console) -> bool:
    """Return whether all holds in the end. What does not is printed."""
    console.print(f"seed {plan.seed}: SEED={plan.seed} repeats every choice, though not the order of events")
    settings = {"HEARTBEAT_BUFFER_SECONDS": str(HEARTBEAT_BUFFER_SECONDS), "POWERTOOLS_LOG_LEVEL": "CRITICAL"}
    try:
        with system(settings, kept=True) as running:
            console.print(f"the API answers at {running.url}, the table is at {running.endpoint}")
            return _Soak(plan, running, console).run()
    except engine.EngineError as error:
        console.print(f"What must not be: {error}", soft_wrap=True)
        return False


class _Soak:
    def __init__(self, plan: Plan, running: System, console: Console) -> None:
        self._plan, self._system, self._console = plan, running, console
        self._tally = Tally()
        self._view = View(console, self._tally)
        self._cluster = Cluster(Client(running.api, self._tally.heard), self._tally, CONDUCT)
        rng = random.Random(plan.seed)  # noqa: S311  # a script, not a secret
        self._storm = Storm(running, self._tally, rng, plan.gap)
        self._numbers = itertools.count(1)
        self._workflows: list[Workflow] = []

    def run(self) -> bool:
        shown = threading.Event()
        showing = self._cluster.start(self._view.show, shown)
        try:
            stood = self._drive_all()
            self._drain()
        finally:
            self._cluster.ended.set()
            shown.set()
            showing.join()
            self._cluster.client.close()
        return self._close(stood)

    def _drive_all(self) -> float:
        """Let workflows run through the storm and to their end. Returns after how many minutes the storm was over."""
        over = threading.Event()
        raging = self._cluster.start(self._storm.rage, over)
        auditing = self._cluster.start(self._audit_meanwhile, over)
        driving = [self._cluster.start(self._drive) for _ in range(self._plan.workflows)]
        self._storm.had_each.wait() if self._plan.minutes is None else time.sleep(self._plan.minutes * 60)
        over.set()
        raging.join()
        stood = self._view.minutes
        self._cluster.calm = True
        self._view.say(f"after {stood:.1f} minutes nothing is killed any more; what was begun is ended")
        for each in (auditing, *driving):
            each.join()
        return stood

    def _audit_meanwhile(self, over: threading.Event) -> None:
        """Audit a table that is in use: no false alarm. An audit that a fault breaks off says so."""
        while not over.wait(SECONDS_BETWEEN_AUDITS):
            try:
                findings = list(audit(self._reader(), Seen()))
            except CannotReadError:
                self._tally.count("audits broken off by a fault")
                continue
            self._tally.count("audits meanwhile")
            for finding in findings:
                self._tally.must_not_be(f"in the midst of it: {finding}")

    def _drive(self) -> None:
        """Run one workflow after another."""
        while not (self._cluster.calm or self._cluster.ended.is_set()):
            workflow = Workflow(self._cluster, next(self._numbers), self._plan.tasks, self._plan.seed, INCREMENTS)
            self._workflows.append(workflow)
            self._tally.count("workflows")
            try:
                workflow.run()
            except UnansweredError:
                self._tally.must_not_be("a workflow was given up: its client was not answered")

    def _drain(self) -> None:
        """Sweep what nobody reports of any more, until all has ended."""
        for _ in range(DRAIN_SWEEPS):
            left = unended(self._reader())
            if not left:
                return
            self._view.say(f"not ended yet: {dict(left)}")
            side_by_side([workflow.sweep for workflow in self._workflows])
            self._cluster.sleep(1)

    def _reader(self) -> Reader:
        return Reader(engine.client(self._system.endpoint), table_name(), Budget(None))

    def _close(self, stood: float) -> bool:
        tally = self._tally
        for found in partitions(self._reader()):
            for line in judge(found, self._cluster.record):
                tally.must_not_be(line)
            tally.count(f"tasks that ended {found.task.status if found.task else 'nowhere'}")
        reader, seen, began = self._reader(), Seen(), time.monotonic()
        findings = list(audit(reader, seen))
        seconds = time.monotonic() - began
        self._console.print(closing(tally, self._view.minutes, stood), counts(seen, reader, seconds, len(findings)))
        for line in (*map(str, findings), *tally.violations):
            self._console.print(line, soft_wrap=True)
        well = not findings and not tally.counts["violations"]
        self._console.print("All of it holds." if well else "This must not be.")
        return well
