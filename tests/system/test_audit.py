"""`make audit` finds what does not fit together in a table that lags and moves, takes no more than it may, and says so.

tests/unit/test_audit_tears.py shows what it finds.
"""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from typing import Any, Final

import pytest

from local.engine import client, create_table
from local.seed import Seed, load
from lockstep.array.item import Array, Batch
from lockstep.dynamodb.client import connect, connection
from lockstep.dynamodb.item import Item, Key, RawItem
from lockstep.task.item import Task
from lockstep.task_instance.item import MAX_ERROR_BYTES, TaskInstance
from lockstep.workflow.item import Workflow
from ops.audit.audit import audit
from ops.audit.invariants.finding import Finding
from ops.audit.reader import Budget, CannotReadError, Reader
from ops.audit.seen import Seen
from sim import requests
from tests.conformance.recording import Player
from tests.support.audited import ARRAY, TASKS, WORKFLOW, Items, changed, lay
from tests.support.clients import a_client_of_our_own
from tests.support.clusters import load_clusters
from tests.support.life import Life
from tests.support.marked import row
from tests.support.memory.boundary import calls_in_memory
from tests.support.memory.operations import Table
from tests.support.serving import alone, port_of, run_alone, run_module, running

TABLES = count()
READS: Final = {"scan", "query", "batch_get_item", "transact_get_items"}
DONE, AGAIN, OVERDUE, QUEUED = (Task.key(task) for task in TASKS)


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0

    def clock(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


class Watched:
    """A client, and all that it was asked for. Somebody may act before a request, or change a reply."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.exceptions = inner.exceptions
        self.asked: list[str] = []
        self.before: Callable[[str], object] = lambda _: None
        self.after: Callable[[str, dict[str, Any], Any], object] = lambda *_: None

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def ask(**request: Any) -> Any:
            self.asked.append(operation)
            self.before(operation)
            reply = getattr(self._inner, operation)(**request)
            self.after(operation, request, reply)
            return reply

        return ask


class Ground:
    """A table of its own, and the life of an array in it."""

    def __init__(self, client: Any, life: Life) -> None:
        self.name = Item.Meta.table_name
        self.client, self.life = client, life
        self.watched, self.time = Watched(client), Time()

    def audit(self, rate: float | None = None) -> list[Finding]:
        budget = Budget(rate, self.time.clock, self.time.sleep)
        return list(audit(Reader(self.watched, self.name, budget), Seen()))

    def checks(self) -> set[str]:
        """The names of what it finds."""
        return {finding.check for finding in self.audit()}

    def item(self, key: Key) -> RawItem:
        found = self.client.get_item(TableName=self.name, Key={"pk": {"S": key.pk}, "sk": {"S": key.sk}})["Item"]
        return dict(found)  # a table in memory gives what stands in it

    def change(self, key: Key, **values: str | int | None) -> None:
        items: Items = {key: self.item(key)}
        changed(key, **values)(items)
        self.client.put_item(TableName=self.name, Item=items[key])


@pytest.fixture
def engine_ground(table: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """On the embedded engine, which counts read units and which other processes can ask."""
    name = f"audited-{next(TABLES)}"
    create_table(table, name)
    monkeypatch.setattr(Item.Meta, "table_name", name)
    with a_client_of_our_own():
        connect()  # a client takes seconds to make where there is much to do, and a request has six
        yield Ground(client(table), lay(Player(), client(table)))


@cache
def laid() -> tuple[Any, Life, Table]:
    with calls_in_memory() as memory:
        life = lay(Player(), connection().client)
        return connection().client, life, memory.table


@pytest.fixture
def ground() -> Iterator[Ground]:
    """In memory: for every test the same one, as it was laid."""
    client, life, table = laid()
    with calls_in_memory() as memory:
        memory.table = table
        yield Ground(client, life)


def test_a_table_that_is_well_is_clean(engine_ground: Ground) -> None:
    load_clusters()
    engine_ground.life.ask(requests.bind_resources({}, queue_id=6))
    assert engine_ground.audit() == []


@pytest.mark.parametrize("ends", [Life.end, Life.fail])
def test_an_earlier_attempt_that_ends_alone_is_no_finding(ground: Ground, ends: Callable[[Life, int], None]) -> None:
    life = Life(Player(), ground.client)
    [task] = life.begin(1, max_attempts=3)
    [first] = life.queue([task])
    life.start(first)
    assert life.bind(running=True)[0][0] == task
    assert ground.audit() == []
    [second] = life.queue([task])
    life.start(second)
    ends(life, first)
    whole = life.ask(requests.get_instance(second))
    assert (whole["task_instance"]["status"], whole["task"]["status"]) == ("R", "R")
    assert ground.audit() == []
    life.end(second)
    assert ground.audit() == []


def test_only_reads_are_sent(engine_ground: Ground) -> None:
    engine_ground.change(DONE, status="R")
    engine_ground.change(Batch.key(ARRAY, 1), size=9)
    assert engine_ground.audit()
    assert set(engine_ground.watched.asked) == READS


NOT_THERE: Final = Key(Task.partition(999_999), TaskInstance.sort_key(1))
ENTRIES: Final[dict[str, RawItem]] = {
    "array-step": {"array_step": {"S": "77#1#0"}, "array_step_id": {"N": "0"}},
    "run": {"workflow_run_id": {"N": "1"}, "attention": {"S": "I#T"}},
    "feed": {"feed": {"S": "77#0"}, "changed": {"S": "00000000001500#D"}},
    "listed": {"listed_in": {"S": "WORKFLOWS"}, "listed_as": {"S": "0000000000000077"}},
}
"""Of each index, what it lists of an item that is not there."""


def shows(ground: Ground, index: str, entry: RawItem) -> None:
    """The index shows an entry for ever."""

    def show(_: str, request: dict[str, Any], reply: Any) -> None:
        if request.get("IndexName") == index:
            reply["Items"] = [*reply["Items"], entry]

    ground.watched.after = show


def hides(ground: Ground, index: str, pk: str) -> None:
    """The index never shows a partition's items."""

    def hide(_: str, request: dict[str, Any], reply: Any) -> None:
        if request.get("IndexName") == index:
            reply["Items"] = [raw for raw in reply["Items"] if raw["pk"]["S"] != pk]

    ground.watched.after = hide


@pytest.mark.parametrize("index", ENTRIES)
def test_an_index_that_lists_what_is_not_there_is_named(ground: Ground, index: str) -> None:
    shows(ground, index, {name: {"S": part} for name, part in NOT_THERE._asdict().items()} | ENTRIES[index])
    assert ground.checks() == {f"{index}-index"}


HIDDEN: Final = {
    "an instance by its step": ("array-step", OVERDUE),
    "an instance that needs attention": ("run", OVERDUE),
    "a task that is done, of the change feed": ("feed", DONE),
    "a workflow": ("listed", Workflow.key(WORKFLOW)),
    "an array": ("listed", Array.key(ARRAY)),
    "a batch": ("listed", Batch.key(ARRAY, 1)),
    "a task that failed for good": ("listed", QUEUED),
}


@pytest.mark.parametrize(("index", "whose"), HIDDEN.values(), ids=HIDDEN)
def test_an_index_that_hides_an_item_is_named(ground: Ground, index: str, whose: Key) -> None:
    ground.change(QUEUED, max_attempts=1)
    ground.life.start(TASKS[3] * 1000 + 1)
    ground.life.fail(TASKS[3] * 1000 + 1)
    hides(ground, index, whose.pk)
    assert ground.checks() == {f"{index}-index"}


def test_an_index_that_lists_a_task_as_it_was_is_named(ground: Ground) -> None:
    """Under an entry that the task has no more, beside the one that it has."""
    before = ground.item(DONE)
    ground.change(DONE, changed="00000000000001#D")
    shows(ground, "feed", {name: before[name] for name in ("pk", "sk", "feed", "changed")})
    [finding] = ground.audit()
    assert finding.check == "feed-index"
    assert finding.got.count("listed under") == 2


def test_an_index_that_catches_up_is_no_finding(ground: Ground) -> None:
    hides(ground, "array-step", OVERDUE.pk)

    def sleep(seconds: float) -> None:
        assert seconds > 0
        ground.watched.after = lambda *_: slept.append(seconds)

    slept: list[float] = []
    ground.time.sleep = sleep  # type: ignore[method-assign]
    assert ground.audit() == []
    assert slept


def test_a_task_that_is_seeded_keeps_nothing_of_earlier_attempts(ground: Ground) -> None:
    array = {"array_id": 5, "name": "a", "workflow_id": 1, "task_template_version_id": 1, "max_concurrently_running": 1}
    task = {"task_id": 7, "status": "R", "num_attempts": 2, "max_attempts": 3, "workflow_id": 1, "array_id": 5}
    task |= {"name": "t", "command": "c", "task_resources_id": 1}
    other = {"array_id": 5, "array_batch_num": 3, "task_resources_id": 1}
    instance = {"task_instance_id": 7002, "status": "R", "workflow_run_id": 1, "array_step_id": 0, **other}
    another = {"task_instance_id": 8001, "status": "T", "workflow_run_id": 2, "array_step_id": 4, **other}
    rows = {"tasks": [task, task | {"task_id": 8}], "task_instances": [instance, another]}
    load(Seed.model_validate({"arrays": [array], **rows}))
    assert ground.audit() == []


def test_texts_that_were_cut_alike_are_entries_of_their_own(ground: Ground) -> None:
    for middle in ("m", "n"):
        said = f"{'a' * MAX_ERROR_BYTES}{middle}{'z' * MAX_ERROR_BYTES}"
        ground.life.ask(requests.log_error(TASKS[0] * 1000 + 1, "n", "E", said))
    assert ground.audit() == []


def test_a_pair_that_moves_while_it_is_read_is_no_finding(ground: Ground) -> None:
    """The scan is torn: its first answer has the task as it was before it moved with its instance."""
    stale = ground.item(AGAIN)
    ground.life.end(TASKS[1] * 1000 + 2)

    def tear(operation: str, request: dict[str, Any], reply: Any) -> None:
        if operation == "scan" and "IndexName" not in request:
            reply["Items"] = [
                stale if raw["pk"] == stale["pk"] and raw["sk"] == stale["sk"] else raw for raw in reply["Items"]
            ]

    ground.watched.after = tear
    assert ground.audit() == []
    assert "transact_get_items" in ground.watched.asked


def test_what_comes_and_goes_while_it_is_read_is_no_finding(ground: Ground) -> None:
    """Between the scan and what follows, tasks are bound, queued, swept and done."""
    life = ground.life
    life.ask(requests.log_triaged(TASKS[2] * 1000 + 1, "U", "lost", known=True))
    moves: Iterator[Callable[[], object]] = iter(
        [
            lambda: life.queue([TASKS[2]]),
            lambda: life.end(TASKS[1] * 1000 + 2),
            lambda: Life(Player(), ground.client).begin(1, max_attempts=3),
            lambda: life.start(TASKS[3] * 1000 + 1),
            life.sweep,
        ]
    )

    def move(_: str) -> None:
        if len(ground.watched.asked) > 1:
            next(moves, lambda: None)()

    ground.watched.before = move
    assert ground.audit() == []
    assert next(moves, None) is None, "all of it happened while the table was read"


@pytest.mark.parametrize("rate", [1.0, 20.0])
def test_no_more_is_taken_than_was_allowed(engine_ground: Ground, rate: float) -> None:
    ground = engine_ground
    budget = Budget(rate, ground.time.clock, ground.time.sleep)
    taken: list[tuple[float, float]] = []
    ground.watched.before = lambda _: taken.append((ground.time.at, budget.units))
    assert list(audit(Reader(ground.watched, ground.name, budget), Seen())) == []
    assert len(taken) > 5
    assert all(units <= rate * at + 1e-6 for at, units in taken), "what was taken before a request is paid for"


def test_a_table_that_cannot_be_read_is_no_clean_one(table: str) -> None:
    reader = Reader(client(table), "no-such-table", Budget(None))
    with pytest.raises(CannotReadError, match="no-such-table"):
        list(audit(reader, Seen()))


def test_the_command_says_what_it_counted(engine_ground: Ground) -> None:
    clean = run_module("ops.audit", "--table", engine_ground.name, "--region", "us-east-1", "--rate", "100000")
    assert (clean.returncode, clean.stderr) == (0, ""), clean.stdout
    assert clean.stdout.endswith("Everything fits together.\n")
    counted = [row(clean.stdout, name) for name in ("tasks", "task instances", "task instance DONE")]
    assert counted == [["5"], ["5"], ["1"]]
    engine_ground.change(DONE, status="R")
    torn = run_module("ops.audit", "--table", engine_ground.name, "--region", "us-east-1", "--rate", "100000")
    assert torn.returncode == 1
    assert torn.stdout.startswith(f"pair: task {TASKS[0]}, task instance {TASKS[0] * 1000 + 1} DONE: is ")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--table", "no-such-table", "--region", "us-east-1"], "no-such-table"),
        (["--rate", "0"], "read units above 0"),
        (["--rate", "nan"], "read units above 0"),
        (["--stack", "a", "--table", "b"], "not allowed with"),
    ],
)
def test_the_command_ends_with_2_where_it_cannot_read(table: str, options: list[str], why: str) -> None:
    assert table
    ended = run_module("ops.audit", *options)
    assert ended.returncode == 2
    assert why in ended.stdout + ended.stderr


def test_the_command_reads_what_runs_on_a_port() -> None:
    with running(alone()) as (_, url):
        port = port_of(url)
        assert run_alone("local.seed", "docs/hello.json", "--port", port).returncode == 0
        clean = run_alone("ops.audit", "--port", port)
    assert (clean.returncode, clean.stderr) == (0, ""), clean.stdout
    gone = run_alone("ops.audit", "--port", port)
    assert (gone.returncode, gone.stdout) == (2, f"nothing runs on port {port}: start it with `make run PORT={port}`\n")
