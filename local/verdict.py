"""Compare how every task ended with how it must end, and print the cost: how the demo and `make workflow` end."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from itertools import count
from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.table import Table

from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.task_instance.item import InstanceKey
from sim import requests
from sim.client import Client, UnansweredError, describe

TI = TaskInstanceStatus

NOT_FOUND: Final = "404"
MOST_DIFFERENCES: Final = 20
"""The differences that are printed at most."""
_USAGE: Final = {
    "requests": "HTTP requests",
    "dynamodb_requests": "DynamoDB requests",
    "write_units": "write units",
    "read_units": "read units",
}


class Ending(NamedTuple):
    """A task's state at the end."""

    task: TaskStatus
    num_attempts: int
    instances: tuple[TI, ...]
    error_entries: tuple[int, ...]
    """The number of each instance's error entries."""

    def __str__(self) -> str:
        instances = " ".join(self.instances)
        entries = " ".join(map(str, self.error_entries))
        return f"{self.task} after {self.num_attempts} attempts: {instances}, with error entries {entries}"


NOT_BEGUN: Final = Ending(TaskStatus.REGISTERING, 0, (), ())
"""A task without an attempt."""


class Result(NamedTuple):
    """A task with its expected and its actual ending."""

    task_id: int
    kind: str
    must: Ending
    got: Ending


def find_endings(client: Client, crew: Executor, task_ids: Iterable[int]) -> list[Ending | None]:
    """Request the final states of tasks; None of a task without an instance.

    Raises:
        UnansweredError: the system does not answer.
    """
    return list(crew.map(partial(_find_ending, client), task_ids))


def _find_ending(client: Client, task_id: int) -> Ending | None:
    found = list(_instances(client, task_id))
    if not found:
        return None
    ids = [InstanceKey(task_id, number).id for number, _ in enumerate(found, 1)]
    entries = [client.ask(requests.get_errors(each))["task_instance_error_log"] for each in ids]
    return Ending(
        TaskStatus(found[-1]["task"]["status"]),
        found[-1]["task"]["num_attempts"],
        tuple(TI(each["task_instance"]["status"]) for each in found),
        tuple(map(len, entries)),
    )


def _instances(client: Client, task_id: int) -> Iterator[Any]:
    """Request a task's instances, one after the other, until there is no next one."""
    for number in count(1):
        request = requests.get_instance(InstanceKey(task_id, number).id)
        reply = client.send(request)
        if reply.outcome == NOT_FOUND:
            return
        if not reply.ok:
            raise UnansweredError(describe(request, reply))
        yield reply.body


def judge(console: Console, results: Sequence[Result], kinds: str) -> bool:
    """Print the results, a row for each kind of task, then what differs. Return whether every task ended as it must.

    kinds: the title of the column of kinds.
    """
    console.print(_endings(results, kinds))
    different = [result for result in results if result.got != result.must]
    for task_id, kind, must, got in different[:MOST_DIFFERENCES]:
        console.print(f"task {task_id} ({kind})\n  must be {must}\n  is      {got}", soft_wrap=True)
    if different:
        console.print(f"{len(different)} of {len(results)} tasks ended otherwise than they must.")
    else:
        console.print(f"All {len(results)} tasks ended as they must.")
    return not different


def _endings(results: Sequence[Result], kinds: str) -> Table:
    table = Table(kinds, title="Where the tasks ended (what must be / what is)", title_justify="left")
    for name in ("tasks", "DONE", "FATAL", "attempts", "error entries"):
        table.add_column(name, justify="right")
    for kind in dict.fromkeys(result.kind for result in results):
        table.add_row(kind, *_row([result for result in results if result.kind == kind]))
    table.add_section()
    table.add_row("all", *_row(results))
    return table


def _row(results: Sequence[Result]) -> list[str]:
    must, got = _totals(result.must for result in results), _totals(result.got for result in results)
    return [str(len(results)), *(f"{a} / {b}" for a, b in zip(must, got, strict=True))]


def _totals(endings: Iterable[Ending]) -> tuple[int, ...]:
    counts = [
        (
            each.task is TaskStatus.DONE,
            each.task is TaskStatus.ERROR_FATAL,
            len(each.instances),
            sum(each.error_entries),
        )
        for each in endings
    ]
    return tuple(map(sum, zip(*counts, strict=True)))


def costs(usage: Mapping[str, float], instances: int) -> Table:
    """Draw what a system's life took, in all and per task instance."""
    table = Table("what it took", title=f"{instances} task instances", title_justify="left")
    table.add_column("in all", justify="right")
    table.add_column("per task instance", justify="right")
    for key, name in _USAGE.items():
        table.add_row(name, f"{usage[key]:,.0f}", f"{usage[key] / instances:.2f}")
    return table
