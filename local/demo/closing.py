"""What the demo closes with: where every task ended beside where it must end, and what it took."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from local.demo.fates import FATES
from local.demo.tasks import Task
from local.demo.verdict import Ending, must_be
from lockstep.fsm.statuses import TaskStatus

MOST_DIFFERENCES: Final = 20
"""That are printed."""


class Result(NamedTuple):
    """A task, where it ended, and where it must."""

    task: Task
    must: Ending
    got: Ending


def close(console: Console, tasks: Sequence[Task], endings: Sequence[Ending], usage: dict[str, float]) -> bool:
    """Print it all; whether every task ended as it must."""
    results = [Result(task, must_be(task), got) for task, got in zip(tasks, endings, strict=True)]
    different = [result for result in results if result.got != result.must]
    console.print(_endings(results), _costs(usage, sum(len(task.fate.attempts) for task in tasks)))
    for task, must, got in different[:MOST_DIFFERENCES]:
        console.print(f"task {task.task_id} ({task.fate.name})\n  must be {must}\n  is      {got}", soft_wrap=True)
    if different:
        console.print(f"{len(different)} of {len(tasks)} tasks ended otherwise than they must.")
    else:
        console.print(f"All {len(tasks)} tasks ended as they must.")
    return not different


def _endings(results: Sequence[Result]) -> Table:
    table = Table("fate", title="Where the tasks ended (what must be / what is)", title_justify="left")
    for name in ("tasks", "DONE", "FATAL", "attempts", "error entries"):
        table.add_column(name, justify="right")
    for fate in FATES:
        table.add_row(fate.name, *_row([result for result in results if result.task.fate is fate]))
    table.add_section()
    table.add_row("all", *_row(results))
    return table


def _row(results: Sequence[Result]) -> list[str]:
    must, got = _totals([result.must for result in results]), _totals([result.got for result in results])
    return [str(len(results)), *(f"{a} / {b}" for a, b in zip(must, got, strict=True))]


def _totals(endings: Sequence[Ending]) -> list[int]:
    statuses = [ending.task for ending in endings]
    return [
        statuses.count(TaskStatus.DONE),
        statuses.count(TaskStatus.ERROR_FATAL),
        sum(ending.num_attempts for ending in endings),
        sum(sum(ending.error_entries) for ending in endings),
    ]


def _costs(usage: dict[str, float], instances: int) -> Table:
    table = Table("what it took", title=f"{instances} task instances", title_justify="left")
    table.add_column("in all", justify="right")
    table.add_column("per task instance", justify="right")
    names = {
        "requests": "HTTP requests",
        "dynamodb_requests": "DynamoDB requests",
        "write_units": "write units",
        "read_units": "read units",
    }
    for key, name in names.items():
        table.add_row(name, f"{usage[key]:,.0f}", f"{usage[key] / instances:.2f}")
    return table
