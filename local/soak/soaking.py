"""The soak from start to end."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from rich.console import Console

from local import engine
from local.run import table_name
from local.soak.client import Client, UnansweredError
from local.soak.record import Record
from local.soak.show import View, closing
from local.soak.storm import Storm
from local.soak.system import System, system
from local.soak.tally import Tally
from local.soak.verdict import judge, partitions, unended
from local.soak.workers import Crew
from local.soak.workflow import Workflow
from lockstep.dynamodb.client import chunks
from ops.audit.auditing import audit
from ops.audit.ledger import Ledger
from ops.audit.printing import counts
from ops.audit.reading import Budget, CannotReadError, Reader

SECONDS_BETWEEN_AUDITS: Final = 5.0
DRAIN_SWEEPS: Final = 60
"""After the last worker has ended: what nobody reports of any more is overdue long before."""


class Plan(NamedTuple):
    """How long, and how much."""

    seed: str
    minutes: float | None
    """None: until there has been a fault of each kind."""
    workflows: int = 10
    """At once."""
    tasks: int = 40
    """Of each array."""
    gap: tuple[float, float] = (8.0, 25.0)
    """Seconds from one fault to the next."""


def soak(plan: Plan, console: Console) -> bool:
    """Whether all holds in the end. What does not is printed."""
    console.print(f"seed {plan.seed}: SEED={plan.seed} repeats every choice, though not what comes before what")
    with system() as running:
        console.print(f"the API answers at {running.url}, the table is at {running.endpoint}")
        tally = Tally()
        view = View(console, tally)
        record, stood = asyncio.run(_Soak(plan, running, tally, view).run())
        return _close(running, record, tally, view, console, stood)


class _Soak:
    def __init__(self, plan: Plan, running: System, tally: Tally, view: View) -> None:
        self._plan, self._system, self._tally, self._view = plan, running, tally, view
        self._rng = random.Random(plan.seed)  # noqa: S311  # a script, not a secret
        self._storm = Storm(running, tally, self._rng, plan.gap)
        self._numbers = itertools.count(1)
        self._workflows: list[Workflow] = []

    async def run(self) -> tuple[Record, float]:
        """What was told, and after how many minutes the faults ended."""
        record = Record(self._tally)
        async with Client(self._system.url, self._tally) as client, self._shown():
            over = asyncio.Event()
            crew = Crew(client, record, self._tally)
            async with asyncio.TaskGroup() as group:
                storm = group.create_task(self._storm.rage(over))
                group.create_task(self._audit_meanwhile(over))
                for _ in range(self._plan.workflows):
                    group.create_task(self._drive(crew))
                await self._until_enough()
                over.set()
                await storm
                stood = self._view.minutes
                self._tally.calm = True
                self._view.say(f"after {stood:.1f} minutes nothing is killed any more; what was begun is ended")
            await self._drain()
        return record, stood

    @asynccontextmanager
    async def _shown(self) -> AsyncIterator[None]:
        showing = asyncio.create_task(self._view.show())
        try:
            yield
        finally:
            showing.cancel()

    async def _audit_meanwhile(self, over: asyncio.Event) -> None:
        """A table that is in use gives no false alarm. An audit that a fault breaks off says so."""
        while not over.is_set():
            await asyncio.sleep(SECONDS_BETWEEN_AUDITS)
            try:
                findings = await asyncio.to_thread(lambda: list(audit(_reader(self._system), Ledger())))
            except CannotReadError:
                self._tally.count("audits broken off by a fault")
                continue
            self._tally.count("audits meanwhile")
            for finding in findings:
                self._tally.must_not_be(f"in the midst of it: {finding}")

    async def _until_enough(self) -> None:
        if self._plan.minutes is not None:
            await asyncio.sleep(self._plan.minutes * 60)
        else:
            await self._storm.had_each.wait()

    async def _drive(self, crew: Crew) -> None:
        """One workflow after another."""
        while not self._tally.calm:
            workflow = Workflow(crew, next(self._numbers), self._plan.tasks, self._plan.seed)
            self._workflows.append(workflow)
            self._tally.count("workflows")
            try:
                await workflow.run()
            except* UnansweredError:
                self._tally.must_not_be("a workflow was given up: its client was not answered")
            finally:
                workflow.stop()

    async def _drain(self) -> None:
        """Sweep what nobody reports of any more, until all has ended."""
        for _ in range(DRAIN_SWEEPS):
            left = await asyncio.to_thread(unended, _reader(self._system))
            if not left:
                return
            self._view.say(f"not ended yet: {dict(left)}")
            for chunk in chunks(self._workflows, self._plan.workflows):
                await asyncio.gather(*(workflow.sweep() for workflow in chunk))
            await asyncio.sleep(1)


def _reader(running: System) -> Reader:
    return Reader(engine.client(running.endpoint), table_name(), Budget(None))


def _close(running: System, record: Record, tally: Tally, view: View, console: Console, stood: float) -> bool:
    for found in partitions(_reader(running)):
        for line in judge(found, record):
            tally.must_not_be(line)
        tally.count(f"tasks that ended {found.task.status if found.task else 'nowhere'}")
    reader, ledger, began = _reader(running), Ledger(), time.monotonic()
    findings = list(audit(reader, ledger))
    seconds = time.monotonic() - began
    console.print(closing(tally, view.minutes, stood), counts(ledger, reader, seconds, len(findings)))
    for line in (*map(str, findings), *tally.violations):
        console.print(line, soft_wrap=True)
    well = not findings and not tally.counts["violations"]
    console.print("All of it holds." if well else "This must not be.")
    return well
