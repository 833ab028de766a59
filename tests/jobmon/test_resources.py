"""Jobmon's client, unmodified, asks for more memory after a resource error, and for another queue if one is too small.

On a cluster of the tests' own plug-in: each command prints the queue and the memory that its attempt asked for.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from tests.jobmon.middleman import Middleman
from tests.jobmon.outcomes import Attempt, attempts, statuses
from tests.jobmon.plan import Plan, Task


def task(name: str, needed: int, **more: Any) -> Task:
    """A task that asks for 2 GiB at first, and takes so many."""
    command = f"echo $ASKED_QUEUE $ASKED_MEMORY; test $ASKED_MEMORY -ge {needed} || exit 137"
    return Task(name, command, compute_resources={"memory": 2}, resource_scales={"memory": 1.0}, **more)


def short(printed: str) -> Attempt:
    return Attempt("Z", printed, ["out of memory"])


def test_each_attempt_asks_for_more_until_it_suffices(
    middleman: Middleman, api: httpx.Client, forks: str, tmp_path: Path
) -> None:
    tasks = [
        task("enough", 2),
        task("scaled", 4),
        task("another-queue", 8, fallback_queues=["large.q"]),
        task("cut", 8),
    ]

    end = Plan(tmp_path, tasks, cluster=forks, queue="small.q").run(middleman)

    assert end.status == "E"
    assert statuses(api, end.workflow_id) == {"D": 3, "F": 1}
    assert {name: attempts(api, task_id) for name, task_id in end.tasks.items()} == {
        "enough": [Attempt("D", "small.q 2\n", [])],
        "scaled": [short("small.q 2\n"), Attempt("D", "small.q 4\n", [])],
        "another-queue": [short("small.q 2\n"), short("small.q 4\n"), Attempt("D", "large.q 8\n", [])],
        "cut": [short("small.q 2\n"), short("small.q 4\n"), short("small.q 4\n")],
    }
    assert middleman.not_ok == []


def test_a_function_says_what_a_task_asks_for_once_it_is_ready(
    middleman: Middleman, api: httpx.Client, forks: str, tmp_path: Path
) -> None:
    """The task before it writes that down. What is then too little is scaled as usual."""
    file = tmp_path / "resources.json"
    measures = Task("measures", f"""echo '{{"memory": 3}}' > {file}""", compute_resources={"memory": 2})
    enough = replace(task("enough", 3), compute_resources_file=str(file), after=["measures"])
    scaled = replace(task("scaled", 4), compute_resources_file=str(file), after=["measures"])

    end = Plan(tmp_path, [measures, enough, scaled], cluster=forks, queue="large.q").run(middleman)

    assert end.status == "D"
    assert {name: attempts(api, task_id) for name, task_id in end.tasks.items()} == {
        "measures": [Attempt("D", "", [])],
        "enough": [Attempt("D", "large.q 3\n", [])],
        "scaled": [short("large.q 3\n"), Attempt("D", "large.q 6\n", [])],
    }
    assert middleman.not_ok == []
