"""Run the demo from start to end."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from rich.console import Console

from local.demo.array import Array
from local.demo.fates import FATES, Fate, in_turn, must_be
from local.demo.view import View
from local.showing import show_on_a_system
from local.verdict import NOT_BEGUN, Ending, Result, costs, find_endings, judge
from sim.client import Client, UnansweredError
from sim.cluster import Cluster, Conduct
from sim.show import live
from sim.system import USAGE, System
from sim.tally import Tally

WORKERS: Final = 16
"""The workers that run at the same time."""


def show(*, keep: bool) -> bool:
    """Start a system, run an array on it and print the results. Return whether everything went as expected.

    keep: let the system serve on after that, until a signal comes.
    """
    return show_on_a_system(WORKERS, _drive, keep=keep)


def _drive(console: Console, crew: ThreadPoolExecutor, running: System) -> bool:
    tally, fates = Tally(), in_turn()
    with Client(running.api, tally.heard) as client, Client(running.url) as local:
        cluster = Cluster(client, tally, Conduct())
        cluster.calm = True
        try:
            fate_of = _run(console, cluster, crew, fates)
        finally:
            cluster.ended.set()
        usage, sent = local.ask(USAGE), tally.counts["requests"]
        if usage["requests"] != sent:
            raise UnansweredError(f"{sent} requests were sent, {usage['requests']} reached the API")
        endings = [ending or NOT_BEGUN for ending in find_endings(client, crew, fate_of)]
    console.print(costs(usage, sum(len(ending.instances) for ending in endings)))
    return judge(console, results_of(fate_of, endings), "fate")


def results_of(fate_of: Mapping[int, Fate], endings: Iterable[Ending]) -> list[Result]:
    """Set beside each task's ending how it must end, fate by fate."""
    results = [
        Result(task_id, fate.name, must_be(fate), got)
        for (task_id, fate), got in zip(fate_of.items(), endings, strict=True)
    ]
    names = [fate.name for fate in FATES]
    return sorted(results, key=lambda result: names.index(result.kind))


def _run(console: Console, cluster: Cluster, crew: ThreadPoolExecutor, fates: list[Fate]) -> dict[int, Fate]:
    view = View(console, cluster.record, cluster.tally, len(fates))
    with live(console, view.picture):
        array = Array(cluster, crew, view, fates)
        view.say(f"{len(array.fate_of)} tasks are bound")
        array.drive()
    return array.fate_of
