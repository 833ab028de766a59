"""Compare how every task ended with how it must end, and print the cost."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from local.demo.fates import FATES, Fate
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.task_instance.item import InstanceKey
from sim import requests
from sim.client import Client

TI = TaskInstanceStatus

MOST_DIFFERENCES: Final = 20
"""The differences that are printed at most."""
_USAGE: Final = {
    "requests": "HTTP requests",
    "dynamodb_requests": "DynamoDB requests",
    "write_units": "write units",
    "read_units": "read units",
}


class Ending(NamedTuple):
    """A task's state at the end of the demo."""

    task: TaskStatus
    num_attempts: int
    instances: tuple[TI, ...]
    error_entries: tuple[int, ...]
    """The number of each instance's error entries."""

    def __str__(self) -> str:
        instances = " ".join(self.instances)
        entries = " ".join(map(str, self.error_entries))
        return f"{self.task} after {self.num_attempts} attempts: {instances}, with error entries {entries}"


class Result(NamedTuple):
    """A task with its expected and its actual ending."""

    task_id: int
    fate: Fate
    must: Ending
    got: Ending


def must_be(fate: Fate) -> Ending:
    """Return how a task with this fate must end."""
    ends = tuple(life.end for life in fate.attempts)
    return Ending(fate.ends_in, len(ends), ends, tuple(int(end is not TI.DONE) for end in ends))


def find_endings(client: Client, crew: Executor, fate_of: Mapping[int, Fate]) -> list[Ending]:
    """Request the tasks' final states.

    Raises:
        UnansweredError: the system does not answer.
    """
    return list(crew.map(partial(_find_ending, client), fate_of, fate_of.values()))


def _find_ending(client: Client, task_id: int, fate: Fate) -> Ending:
    ids = [InstanceKey(task_id, number).id for number, _ in enumerate(fate.attempts, 1)]
    found = [client.ask(requests.get_instance(each)) for each in ids]
    entries = [client.ask(requests.get_errors(each))["task_instance_error_log"] for each in ids]
    return Ending(
        TaskStatus(found[-1]["task"]["status"]),
        found[-1]["task"]["num_attempts"],
        tuple(TI(each["task_instance"]["status"]) for each in found),
        tuple(map(len, entries)),
    )


def close(console: Console, fate_of: Mapping[int, Fate], endings: Iterable[Ending], usage: Mapping[str, float]) -> bool:
    """Print the results. Return whether every task ended as it must."""
    results = [
        Result(task_id, fate, must_be(fate), got) for (task_id, fate), got in zip(fate_of.items(), endings, strict=True)
    ]
    different = [result for result in results if result.got != result.must]
    console.print(_endings(results), _costs(usage, sum(len(fate.attempts) for fate in fate_of.values())))
    for task_id, fate, must, got in different[:MOST_DIFFERENCES]:
        console.print(f"task {task_id} ({fate.name})\n  must be {must}\n  is      {got}", soft_wrap=True)
    if different:
        console.print(f"{len(different)} of {len(results)} tasks ended otherwise than they must.")
    else:
        console.print(f"All {len(results)} tasks ended as they must.")
    return not different


def _endings(results: Sequence[Result]) -> Table:
    table = Table("fate", title="Where the tasks ended (what must be / what is)", title_justify="left")
    for name in ("tasks", "DONE", "FATAL", "attempts", "error entries"):
        table.add_column(name, justify="right")
    for fate in FATES:
        table.add_row(fate.name, *_row([result for result in results if result.fate is fate]))
    table.add_section()
    table.add_row("all", *_row(results))
    return table


def _row(results: Sequence[Result]) -> list[str]:
    must, got = _totals(result.must for result in results), _totals(result.got for result in results)
    return [str(len(results)), *(f"{a} / {b}" for a, b in zip(must, got, strict=True))]


def _totals(endings: Iterable[Ending]) -> tuple[int, ...]:
    counts = [
        (each.task is TaskStatus.DONE, each.task is TaskStatus.ERROR_FATAL, each.num_attempts, sum(each.error_entries))
        for each in endings
    ]
    return tuple(map(sum, zip(*counts, strict=True)))


def _costs(usage: Mapping[str, float], instances: int) -> Table:
    table = Table("what it took", title=f"{instances} task instances", title_justify="left")
    table.add_column("in all", justify="right")
    table.add_column("per task instance", justify="right")
    for key, name in _USAGE.items():
        table.add_row(name, f"{usage[key]:,.0f}", f"{usage[key] / instances:.2f}")
    return table
