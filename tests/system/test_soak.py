"""A short soak, with a fault of each kind, ends with everything as it was told; and what does not hold is named."""

import io
import os
import random
from http import HTTPStatus

import pytest
from rich.console import Console

from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.task.item import Task
from lockstep.task_instance.item import ErrorEntry, InstanceKey
from lockstep.text import digest
from ops.audit.invariants.task import TaskItems
from sim.client import Client, Reply, UnansweredError
from sim.cluster import Cluster, Conduct
from sim.record import Record
from sim.requests import Request
from sim.soak.soaking import Plan, soak
from sim.soak.verdict import judge
from sim.tally import Tally
from tests.support import items
from tests.support.marked import cells

TI = TaskInstanceStatus
MUST_HAPPEN = [
    "requests",
    "retries",
    "lost replies",
    "worker kills",
    "gateway kills",
    "engine kills",
    "engine freezes",
    "rivals",
    "silences",
    "last reports sent twice at once",
    "heartbeats after the last report",
    "heartbeats overtaken by the last report",
    "starts reported again after the end",
]


def test_all_of_it_holds_after_each_kind_of_fault() -> None:
    output = io.StringIO()
    console = Console(file=output, width=100, highlight=False, markup=False)
    environment = dict(os.environ)
    well = soak(Plan("test", None, workflows=4, tasks=15, gap=(3.0, 4.0)), console)
    assert os.environ == environment, "this process's clients go where they went"
    said = output.getvalue()
    assert well, said
    assert said.endswith("All of it holds.\n")
    counts = cells(said)
    assert [name for name in MUST_HAPPEN if counts[name] == "0"] == []
    assert counts["findings"] == counts["what must not be"] == "0"
    assert int(counts["tasks"].replace(",", "")) >= 4 * 2 * 15
    assert {counts.get(f"tasks that ended {status}") for status in "GQIORAE"} == {None}


TASK = 7
INSTANCE = InstanceKey(TASK, 1).id


def partition(status: str, task_status: str, *errors: str) -> TaskItems:
    key = InstanceKey(TASK, 1)
    task, instance = items.task(TASK, task_status, max_attempts=1), items.instance(key, status)
    entries = [
        ErrorEntry(*ErrorEntry.key(key, digest(f"{index} {words}")), description=words, error_time=1)
        for index, words in enumerate(errors)
    ]
    return TaskItems.parse(Task.partition(TASK), [item.serialize() for item in (task, instance, *entries)])


def test_what_was_told_must_stand() -> None:
    tally = Tally()
    record = Record(tally)
    record.instances[INSTANCE].done_reported = True
    record.told(INSTANCE, TI.DONE, 0.0)
    assert list(judge(partition("D", "D"), record)) == []
    [line] = judge(partition("F", "F"), record)
    assert line == f"{INSTANCE} is F; somebody was told that it ended in D"
    record.told(INSTANCE, TI.ERROR, 2**40)
    assert tally.violations == [f"{INSTANCE} was told to be E after it had ended in D"]


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (partition("D", "D"), "is done, and no worker has said so"),
        (partition("R", "R"), "has not ended: it is R"),
        (partition("E", "D"), "task 7 is D, its instances are E"),
        (partition("E", "F", "told", "told"), "error entries twice: ['told']"),
        (partition("E", "F"), "error entries missing: ['told']"),
        (partition("E", "F", "told", "invented"), "error entries said by nobody: ['invented']"),
    ],
)
def test_what_nobody_told_is_named(found: TaskItems, line: str) -> None:
    record = Record(Tally())
    record.instances[INSTANCE].may_say = record.instances[INSTANCE].must_say = {"told"}
    assert any(line in each for each in judge(found, record))


def test_an_earlier_attempt_may_be_done_alone_but_not_the_task() -> None:
    found, latest = partition("D", "R"), partition("R", "R")
    assert found.task is not None
    found.task.num_instances, found.instances[2] = 2, latest.instances[1]
    line = "task 7 is {}, its instances are D R"
    assert line.format("R") not in judge(found, Record(Tally()))
    found.task.status = "D"
    assert line.format("D") in judge(found, Record(Tally()))


def answered(sent_at: float, first_sent_at: float | None = None) -> Reply:
    """At the first try, unless that was sent earlier."""
    first = sent_at if first_sent_at is None else first_sent_at
    return Reply("200", None, 0.0, sent_at, 1 if first_sent_at is None else 2, first)


@pytest.mark.parametrize(("first_sent_at", "named"), [(None, True), (15.4, False), (15.6, True)])
def test_two_that_run_at_once_are_named(
    monkeypatch: pytest.MonkeyPatch, first_sent_at: float | None, *, named: bool
) -> None:
    """Unless a report that was not answered may have landed late and set the deadline back, to before now."""
    tally, at = Tally(), 10.1
    monkeypatch.setattr("time.time", lambda: at)
    record = Record(tally)
    record.told_to_run(INSTANCE, "a", answered(10.0), due=5.0)
    record.heard(INSTANCE, "a", answered(12.0))
    record.told_to_run(INSTANCE, "a", answered(13.0), due=5.0)
    at = 18.1
    record.told_to_run(INSTANCE, "b", answered(18.0, first_sent_at), due=5.0)
    assert not tally.violations, "a fell silent"
    at = 20.5
    record.told_to_run(INSTANCE, "a", answered(20.0), due=5.0)
    must_not_be = f"a was told to run {INSTANCE} 2.500 s before b was overdue"
    assert tally.violations == ([must_not_be] if named else [])
    assert tally.counts["workers overtaken after a report in limbo"] == int(not named)


class AnsweringClient(Client):
    """A client whose requests are answered with these statuses in turn."""

    def __init__(self, *statuses: HTTPStatus) -> None:
        super().__init__("http://127.0.0.1")
        self._statuses = iter(statuses)

    def send(self, request: Request, within: float | None = None) -> Reply:
        assert (request.path, within) == ("/health", None)
        return Reply(str(next(self._statuses).value), "no")


@pytest.mark.parametrize(
    ("status", "calm", "named"),
    [
        (HTTPStatus.SERVICE_UNAVAILABLE, False, False),
        (HTTPStatus.SERVICE_UNAVAILABLE, True, True),
        (HTTPStatus.INTERNAL_SERVER_ERROR, False, True),
        (HTTPStatus.NOT_FOUND, False, True),
    ],
)
def test_replies_that_must_not_be_are_named(status: HTTPStatus, *, calm: bool, named: bool) -> None:
    tally = Tally()
    client = AnsweringClient(status, HTTPStatus.OK)
    cluster = Cluster(client, tally, Conduct(tries=3))
    cluster.calm = calm
    try:
        cluster.ask(Request("GET", "/health"), random.Random("any"))  # noqa: S311  # no secret
    except UnansweredError:
        assert status is not HTTPStatus.SERVICE_UNAVAILABLE
    assert bool(tally.violations) is named
