"""Write the measurements of growing workflows as sections of the benchmark's document."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from bench.growth.measuring import FOLLOWED, Growth, Phase
from bench.row import Row, Section
from local.workflow_cost import CHANGES_PER_UNIT
from lockstep.task.item import feed_keys
from sim.workflow import IDS_PER_CALL

BINDING: Final = ("nodes", "edges", "tasks", "task arguments")
CHUNK_SECONDS: Final = 1.0
WRITTEN, READ = 5.0, 1.0
"""The targets of binding a task, in units."""
AGAIN_WRITTEN, AGAIN_READ = 2.0, 1.5
"""Those of binding it again."""
POLLED: Final = 0.6
"""Read units a task of a full poll."""
POLL_SECONDS: Final = 10.0
NOTHING: Final = 0.5
"""Read units of a poll for each part of the change feed, if nothing has changed."""
NOISE: Final = 1.25
"""How much longer the last chunk may take than the first: what one measurement varies by."""


def section(grown: Sequence[Growth]) -> Section:
    """Tell the measurements of each size. The targets are those of the largest."""
    text = (
        f"A workflow of so many tasks on a system of its own, bound in a tree as Jobmon's client does: {IDS_PER_CALL}"
        f" nodes, edges and tasks at a time. Then polls; {FOLLOWED} tasks are done, the others queued, and their run"
        " ends; all start over. `PYTHONPATH=.:shared .venv/bin/python -m bench.growth` measures this section alone."
    )
    return Section("A workflow grows", text, [row for each in grown for row in _rows(each, judged=each is grown[-1])])


def _rows(growth: Growth, *, judged: bool) -> Iterator[Row]:
    for row in _measured(growth):
        yield row if judged else replace(row, target="", met=None)


def _measured(growth: Growth) -> Iterator[Row]:
    tasks, phases = growth.tasks, growth.phases
    size = f"{tasks:,} tasks: "
    written = sum(phases[name].write_units for name in BINDING) / tasks
    read = sum(phases[name].read_units for name in BINDING) / tasks
    yield _units(f"{size}binding a task", written, read, WRITTEN, READ)
    took = ", ".join(f"{name} {1000 * phases[name].processor / tasks:.2f}" for name in BINDING)
    yield Row(f"{size}processor of the server, ms a task", took)
    again, half = phases["half of the tasks again"], -(-tasks // 2)
    yield _units(
        f"{size}binding it again", again.write_units / half, again.read_units / half, AGAIN_WRITTEN, AGAIN_READ
    )
    for name in BINDING if tasks > IDS_PER_CALL else ():
        yield _chunks(size, phases[name])
    yield _full_poll(size, tasks, phases["full poll"])
    yield _small_polls(size, tasks, phases)
    yield _start_over(size, tasks, phases["reset"])


def _units(what: str, written: float, read: float, most_written: float, most_read: float) -> Row:
    target = f"≤ {most_written:g} written, ≤ {most_read:g} read"
    met = written <= most_written and read <= most_read
    return Row(what, f"{written:.2f} write units, {read:.2f} read units", target, met)


def _chunks(size: str, phase: Phase) -> Row:
    """Compare the first chunk after the one that starts the function with the last."""
    first, last, most = phase.seconds[1], phase.seconds[-1], max(phase.seconds[1:])
    met = most <= CHUNK_SECONDS and last <= max(first * NOISE, first + 0.05)
    result = f"first {first:.2f} s, last {last:.2f} s, longest {most:.2f} s of {len(phase.seconds)}"
    return Row(f"{size}a chunk of {phase.name}", result, f"≤ {CHUNK_SECONDS:g} s, no slower", met)


def _full_poll(size: str, tasks: int, phase: Phase) -> Row:
    each, seconds = phase.read_units / tasks, sum(phase.seconds)
    target = f"≤ {POLLED} a task, ≤ {POLL_SECONDS:g} s"
    met = each <= POLLED and seconds <= POLL_SECONDS
    return Row(f"{size}full poll", f"{each:.2f} read units a task, {seconds:.2f} s", target, met)


def _small_polls(size: str, tasks: int, phases: dict[str, Phase]) -> Row:
    nothing, changes = phases["poll, nothing changed"].read_units, phases["poll, changes"].read_units
    shards, followed = len(feed_keys(1, tasks)), min(tasks, FOLLOWED)
    met = nothing <= NOTHING * shards and changes - nothing <= followed / CHANGES_PER_UNIT
    result = f"{nothing:g} read units; {changes:g} that tell of {followed}"
    target = f"≤ {NOTHING:g} a part; 1 more for {CHANGES_PER_UNIT}"
    return Row(f"{size}poll that finds nothing ({shards} shards)", result, target, met)


def _start_over(size: str, tasks: int, phase: Phase) -> Row:
    result = (
        f"{phase.write_units / tasks:.2f} write units, {phase.read_units / tasks:.2f} read units a task;"
        f" {len(phase.seconds)} calls, {sum(phase.seconds):.0f} s"
    )
    return Row(f"{size}starting all over", result, "≤ 10 calls", len(phase.seconds) <= 10)  # noqa: PLR2004  # its client's tries
