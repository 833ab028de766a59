"""Run a workflow with Jobmon's published client, let it fail, mend it and resume it; compare each task's ending."""

import json
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console

from local.showing import ProgramFailedError, show_on_a_system
from local.verdict import NOT_BEGUN, Result, costs, find_endings, judge
from local.workflow.client import run
from local.workflow.plan import NAMES, must_be
from local.workflow.view import View
from sim.client import Client
from sim.show import live
from sim.system import USAGE, System

READERS: Final = 8
"""The requests for endings that are sent at the same time."""


def show() -> bool:
    """Start a system, run the workflow on it twice, and print the results. Return whether all went as expected."""
    return show_on_a_system(READERS, _drive)


def _drive(console: Console, crew: ThreadPoolExecutor, running: System) -> bool:
    with Client(running.api) as client, Client(running.url) as local, TemporaryDirectory() as made:
        view, folder = View(console, client), Path(made)
        usage = _run(console, view, local, running.url, folder)
        first = judge(console, _results(client, crew, view, folder, resumed=False), "array")
        console.print("\nmending what failed, and resuming: the same program again")
        (folder / "mended").touch()
        usage.update(_run(console, view, local, running.url, folder, "resume"))
        results = _results(client, crew, view, folder, resumed=True)
        console.print(costs(usage, sum(len(result.got.instances) for result in results)))
        second = judge(console, results, "array")
        return first and second


def _run(console: Console, view: View, local: Client, url: str, *arguments: object) -> Counter[str]:
    """Run the program, and return what it took of the system. The view's own polls are a part of it."""
    before = Counter(local.ask(USAGE))
    with live(console, view.picture):
        try:
            for line in run(url, *arguments):
                view.say(line)
        except ProgramFailedError:
            view.say_where_it_stands()
            raise
    after = Counter(local.ask(USAGE))
    return after - before


def _results(client: Client, crew: ThreadPoolExecutor, view: View, folder: Path, *, resumed: bool) -> list[Result]:
    ids: Mapping[str, int] = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    statuses = view.statuses()
    got = dict(zip(statuses, find_endings(client, crew, statuses), strict=True))
    return [
        Result(
            ids[name],
            kind,
            must_be(name, resumed=resumed),
            got[ids[name]] or NOT_BEGUN._replace(task=statuses[ids[name]]),
        )
        for kind, names in NAMES.items()
        for name in names
    ]
