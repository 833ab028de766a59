"""Compute the cost of a workflow by its number of tasks: its binding, its tasks' lives, and its client's polls.

The units of binding are measured up to 100,000 tasks (`make bench`, "A workflow grows"; tests/unit/test_prices.py holds
those of the tasks to what bench/scale records); beyond, each task takes the same.
"""

from collections.abc import Iterator
from typing import Final

from local.prices import BEFORE_AND_AFTER, INTERVAL, LOOP, MILLION, Use, bulk, cost, life
from local.tables import table
from lockstep.task.item import feed_keys
from lockstep.workflow.progress import MARGIN_SECONDS
from sim.workflow import IDS_PER_CALL

SIZES: Final = (1, 1_000, 10_000, 100_000, 1_000_000)
"""Tasks."""
HEARTBEATS: Final = 5
ONCE: Final = 25
"""Requests of a workflow whatever its size, about: tool, template, cluster, dag, array, resources, run, its moves."""
_ONCE_WRITTEN: Final = 2.0
"""Write units of one of these, about."""
CHANGES_PER_UNIT: Final = 60
"""The changes of which a poll tells for one read unit."""


def binding(tasks: int) -> list[Use]:
    """Return the requests that bind a workflow, a task's share of each."""
    once, chunk = ONCE / tasks, 1 / min(IDS_PER_CALL, tasks)
    size = min(IDS_PER_CALL, tasks)
    return [
        Use("what comes once", once, 2.5, 450, written=_ONCE_WRITTEN, read=0.5),
        bulk("POST nodes", chunk, 0.04, size=size),
        bulk("POST dag/{id}/edges", chunk, 0.3, written=1 + chunk, size=size),
        bulk("PUT bind_tasks_no_args", chunk, 1.5, written=4 + 5 * chunk, read=0.5 + 1.5 * chunk, size=size),
        bulk("PUT bind_task_args", chunk, 0.04, written=3 * chunk, size=size),
        bulk("PUT bind_task_attributes", chunk, 0.01, size=size),
    ]


def following(tasks: int) -> list[Use]:
    """Return the polls of a workflow's client while all its tasks run, a task's share of each."""
    loops = (HEARTBEATS * INTERVAL + BEFORE_AND_AFTER) / LOOP
    idle = 0.5 + 0.5 * len(feed_keys(1, tasks))
    told = tasks * (1 + MARGIN_SECONDS / LOOP) / loops / CHANGES_PER_UNIT
    return [
        Use("POST task_status_updates", loops / tasks, 3.0, 450, read=idle + told),
        Use("GET get_max_concurrently_running", loops / tasks, 1.8, 400, read=0.5),
    ]


def of_workflows() -> Iterator[str]:
    """Yield the requests, units and dollars of a workflow of each size, whose tasks all run at the same time."""
    columns = (
        "tasks",
        "requests",
        "write units",
        "read units",
        "dollars: binding",
        "running",
        "following",
        "**together**",
    )
    return table([f"{column} >" for column in columns], map(_of_workflow, SIZES))


def _of_workflow(tasks: int) -> list[str]:
    parts = (binding(tasks), life(HEARTBEATS, run=tasks), following(tasks))
    uses = [use for part in parts for use in part]
    counts = (
        tasks * sum(use.times for use in uses),
        tasks * sum(use.times * use.written for use in uses),
        tasks * sum(use.times * use.read for use in uses),
    )
    dollars = [sum(cost(part).values()) * tasks / MILLION for part in parts]
    cells = [f"{tasks:,}", *(f"{count:,.0f}" for count in counts), *(f"{each:,.4g}" for each in dollars)]
    return [*cells, f"**{sum(dollars):,.4g}**"]
