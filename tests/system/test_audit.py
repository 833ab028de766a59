"""`make audit` finds what does not fit together, by name, and nothing in a table that is well or that moves."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import copy
from functools import cache
from itertools import count
from typing import Any, Final

import pytest

from local.engine import client, create_table
from local.seed import Seed, load
from local.template import ROOT
from lockstep.array.item import Array, ArrayLookup, Batch
from lockstep.cluster.item import Clusters
from lockstep.dag.item import Dag, Edge, EdgePart
from lockstep.dynamodb.client import connect, connection
from lockstep.dynamodb.counters import Counter
from lockstep.dynamodb.item import Item, RawItem
from lockstep.task.item import Resources, Spec, Task, TaskLookup
from lockstep.task_instance.item import MAX_ERROR_BYTES, ErrorEntry, ErrorText, Log, TaskInstance
from lockstep.text import digest
from lockstep.tool.item import VersionOfTool
from lockstep.workflow import item
from ops.audit.audit import audit
from ops.audit.invariants.finding import Finding
from ops.audit.reader import Budget, CannotReadError, Reader
from ops.audit.seen import Seen
from tests.conformance.recording import Player
from tests.support.clients import a_client_of_our_own
from tests.support.clusters import load_clusters
from tests.support.life import Workflow, live
from tests.support.memory.boundary import calls_in_memory
from tests.support.memory.operations import Table
from tests.support.serving import alone, run_module
from tests.support.tools import a_template, add_version

TABLES = count()
READS: Final = {"scan", "query", "batch_get_item", "transact_get_items"}


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0

    def clock(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


class Watched:
    """A client, and all that it was asked for; somebody may be called before each request."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.exceptions = inner.exceptions
        self.asked: list[str] = []
        self.before: Callable[[str, dict[str, Any]], None] = lambda *_: None

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def ask(**request: Any) -> Any:
            self.asked.append(operation)
            self.before(operation, request)
            return getattr(self._inner, operation)(**request)

        return ask


class Ground:
    """A table of its own, with one workflow's array in it: done, failed and running again, overdue, queued."""

    def __init__(self, raw: Any, player: Player) -> None:
        self.name = Item.Meta.table_name
        self.raw = raw
        self.watched = Watched(self.raw)
        self.time = Time()
        self.workflow = Workflow(player, 4)
        self.tasks = sorted(task_id for task_id, _ in self.workflow.bind().values())
        first, second, third, _ = self.workflow.queue(self.tasks)
        self.workflow.finish(first)
        self.workflow.fail(second)
        self.workflow.start(third)
        [again] = self.workflow.queue([second // 1000])
        self.workflow.start(again)
        assert self.workflow.report(third, "log_report_by", next_report_increment=-1)[0] == 200
        self.sweep()
        self.template = a_template(player)
        add_version(player, self.template.id)

    def afresh(self) -> "Ground":
        """The same, of which nothing has been asked."""
        another = copy(self)
        another.watched, another.time = Watched(self.raw), Time()
        return another

    def sweep(self) -> None:
        self.workflow.expect("POST", f"/workflow_run/{self.workflow.run}/set_status_for_triaging", {})

    def audit(self) -> list[Finding]:
        reader = Reader(self.watched, self.name, Budget(None, self.time.clock, self.time.sleep))
        return list(audit(reader, Seen()))

    def item(self, pk: str, sk: str) -> RawItem:
        found = self.raw.get_item(TableName=self.name, Key={"pk": {"S": pk}, "sk": {"S": sk}})["Item"]
        return dict(found)  # a table in memory gives what stands in it

    def put(self, item: RawItem) -> None:
        self.raw.put_item(TableName=self.name, Item=item)

    def delete(self, pk: str, sk: str) -> None:
        self.raw.delete_item(TableName=self.name, Key={"pk": {"S": pk}, "sk": {"S": sk}})

    def change(self, pk: str, sk: str, /, **values: Any) -> None:
        """None takes an attribute away."""
        item = self.item(pk, sk)
        for name, value in values.items():
            item.pop(name, None)
            if value is not None:
                item[name] = {"S": value} if isinstance(value, str) else {"N": str(value)}
        self.put(item)

    def copy(self, pk: str, sk: str, /, **values: str) -> None:
        """Under another key."""
        item = self.item(pk, sk)
        self.put(item | {name: {"S": value} for name, value in values.items()})

    def task(self, number: int) -> str:
        return Task.partition(self.tasks[number])

    @property
    def array(self) -> str:
        return Array.key(self.workflow.array).pk

    @property
    def batch(self) -> str:
        return Batch.key(self.workflow.array, 1).pk

    @property
    def lookup(self) -> str:
        return TaskLookup.key(self.workflow.id, 1, "args 0").pk

    @property
    def array_lookup(self) -> str:
        return ArrayLookup.key(self.workflow.id, 1).pk


@pytest.fixture
def own_table(table: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """This process's functions and seeds work on a new table."""
    name = f"audited-{next(TABLES)}"
    create_table(table, name)
    monkeypatch.setattr(Item.Meta, "table_name", name)
    with a_client_of_our_own():
        connect()  # a client takes seconds to make where there is much to do, and a request has six
        yield table


@pytest.fixture(scope="module")
def player() -> Player:
    return Player()


@pytest.fixture
def engine_ground(own_table: str, player: Player) -> Ground:
    """On the embedded engine, which counts read units and which other processes can ask."""
    return Ground(client(own_table), player)


@cache
def laid() -> tuple[Ground, Table]:
    with calls_in_memory() as memory:
        return Ground(connection().client, Player()), memory.table


@pytest.fixture
def ground() -> Iterator[Ground]:
    """In memory: for every test the same one, as it was laid."""
    ground, table = laid()
    with calls_in_memory() as memory:
        memory.table = table
        yield ground.afresh()


def error_entry(ground: Ground, words: str, sk: str) -> None:
    said = {"description": {"S": words}, "error_time": {"N": "1"}}
    ground.put({"pk": {"S": ground.task(1)}, "sk": {"S": sk}, **said})


def boom_under_another_digest(ground: Ground) -> None:
    error_entry(ground, "boom", ErrorEntry.sort_key(1, digest("bang")))


def an_entry_without_its_text(ground: Ground) -> None:
    said = {"text_bytes": {"N": "5000"}, "error_time": {"N": "1"}}
    ground.put({"pk": {"S": ground.task(1)}, "sk": {"S": ErrorEntry.sort_key(1, digest("x"))}, **said})


def a_text_without_its_entry(ground: Ground) -> None:
    sort_key = ErrorText.sort_key(1, digest("x"))
    ground.put({"pk": {"S": ground.task(1)}, "sk": {"S": sort_key}, "description": {"S": "x"}})


def a_batch_of_a_later_number(ground: Ground) -> None:
    ground.change(ground.array, Array.SORT_KEY, num_batches=1)


def an_instance_too_many(ground: Ground) -> None:
    ground.copy(ground.task(0), TaskInstance.sort_key(1), sk=TaskInstance.sort_key(2))


def a_second_instance_on_a_step(ground: Ground) -> None:
    ground.change(ground.task(0), TaskInstance.sort_key(1), array_step_id=1)


def a_task_that_never_had_one(ground: Ground) -> None:
    ground.delete(ground.task(3), TaskInstance.sort_key(1))
    ground.change(ground.task(3), Task.SORT_KEY, num_instances=0)


def a_dag(ground: Ground) -> None:
    """With a node that has a long list of neighbours above it, and its arguments."""
    node = {"task_template_version_id": 1, "node_args_hash": "7", "node_args": {"1": "a"}}
    ground.workflow.expect("POST", "/nodes", {"nodes": [node]})
    ground.workflow.expect("POST", "/dag", {"dag_hash": DAG})
    edge = {"node_id": NODE, "upstream_node_ids": [*range(1, 301)], "downstream_node_ids": [1]}
    ground.workflow.expect("POST", f"/dag/{DAG}/edges", {"edges_to_add": [edge], "mark_created": True})


DAG, NODE = 2**61 - 2, 2**62 - 1


def on_a_dag(tear: Callable[[Ground], None]) -> Callable[[Ground], None]:
    def torn(ground: Ground) -> None:
        a_dag(ground)
        tear(ground)

    return torn


def other_arguments(ground: Ground) -> None:
    [item] = [raw for raw in ground.raw.scan(TableName=ground.name)["Items"] if raw["pk"]["S"] == "NODES#1"]
    ground.put(item | {"args": {"B": b"other"}})


def clusters_of(*clusters: object) -> Callable[[Ground], None]:
    """The table holds these clusters, whatever they are."""
    stored = {"version": {"N": "1"}, "clusters": {"S": json.dumps(clusters)}}
    return lambda ground: ground.put({name: {"S": key} for name, key in Clusters.key()._asdict().items()} | stored)


def resources_of_a_queue(ground: Ground) -> None:
    key = {name: {"S": part} for name, part in Resources.key(1)._asdict().items()}
    ground.put(key | {"queue_id": {"N": "77"}, "requested_resources": {"S": "{}"}})


TEARS: Final[dict[str, tuple[str, Callable[[Ground], None]]]] = {
    "an item of no kind": ("unknown-item", lambda g: g.put({"pk": {"S": "SURPRISE"}, "sk": {"S": "X"}})),
    "an unknown item of a task": ("unknown-item", lambda g: g.copy(g.task(0), Task.SORT_KEY, sk="TASKS")),
    "an item without an attribute": ("malformed-item", lambda g: g.change(g.task(0), Task.SORT_KEY, array_id=None)),
    "an attribute of another type": ("malformed-item", lambda g: g.change(g.task(0), Task.SORT_KEY, num_attempts="x")),
    "an array id out of range": ("id-out-of-range", lambda g: g.change(g.task(0), Task.SORT_KEY, array_id=2**53)),
    "a step out of range": (
        "id-out-of-range",
        lambda g: g.change(g.task(0), TaskInstance.sort_key(1), array_step_id=10**9),
    ),
    "an instance numbered 0": ("id-out-of-range", lambda g: g.copy(g.task(0), TaskInstance.sort_key(1), sk="TI#000")),
    "no task": ("orphan", lambda g: g.delete(g.task(0), Task.SORT_KEY)),
    "two specifications": ("binding", lambda g: g.change(g.task(0), Task.SORT_KEY, command="c")),
    "no specification": ("orphan", lambda g: g.delete(g.task(0), Spec.SORT_KEY)),
    "logs of nobody": ("orphan", lambda g: g.copy(g.task(0), Log.sort_key(1), sk=Log.sort_key(7))),
    "errors of nobody": ("orphan", lambda g: error_entry(g, "x", ErrorEntry.sort_key(9, digest("x")))),
    "an attempt that is gone": ("instance-numbers", lambda g: g.delete(g.task(1), TaskInstance.sort_key(1))),
    "the last attempt is gone": ("instance-numbers", lambda g: g.delete(g.task(1), TaskInstance.sort_key(2))),
    "more instances than were given": ("instance-numbers", an_instance_too_many),
    "more attempts than instances": ("attempts", lambda g: g.change(g.task(1), Task.SORT_KEY, num_attempts=3)),
    "more attempts than allowed": ("attempts", lambda g: g.change(g.task(1), Task.SORT_KEY, max_attempts=1)),
    "a specification of another binding": ("binding", lambda g: g.change(g.task(0), Spec.SORT_KEY, spec_version=2)),
    "a specification in another array": ("binding", lambda g: g.change(g.task(0), Spec.SORT_KEY, array_id=77)),
    "an instance of a later binding": (
        "binding",
        lambda g: g.change(g.task(0), TaskInstance.sort_key(1), spec_version=2),
    ),
    "an unknown status": ("status", lambda g: g.change(g.task(0), TaskInstance.sort_key(1), status="?")),
    "an unknown task status": ("status", lambda g: g.change(g.task(0), Task.SORT_KEY, status="?")),
    "done, and its task runs": ("pair", lambda g: g.change(g.task(0), Task.SORT_KEY, status="R")),
    "runs, and its task is done": ("pair", lambda g: g.change(g.task(1), Task.SORT_KEY, status="D")),
    "the last attempt runs, and its task is done": (
        "pair",
        lambda g: g.change(g.task(1), Task.SORT_KEY, status="D", spec_version=2),
    ),
    "the last attempt runs, and its task has failed": (
        "pair",
        lambda g: g.change(g.task(1), Task.SORT_KEY, status="F", spec_version=2),
    ),
    "an earlier attempt that still runs": ("pair", lambda g: g.change(g.task(1), TaskInstance.sort_key(1), status="R")),
    "a legacy status": ("pair", lambda g: g.change(g.task(0), TaskInstance.sort_key(1), status="B")),
    "a queued task without an instance": ("pair", a_task_that_never_had_one),
    "listed under another batch": (
        "step-key",
        lambda g: g.change(g.task(0), TaskInstance.sort_key(1), array_step="77#1#0"),
    ),
    "triaged without a flag": (
        "attention-flag",
        lambda g: g.change(g.task(2), TaskInstance.sort_key(1), attention=None),
    ),
    "flagged and well": ("attention-flag", lambda g: g.change(g.task(0), TaskInstance.sort_key(1), attention="I#T")),
    "words under another's digest": ("error-digest", boom_under_another_digest),
    "the same words twice": ("duplicate-error", boom_under_another_digest),
    "an entry whose long text is gone": ("orphan", an_entry_without_its_text),
    "a long text of no entry": ("orphan", a_text_without_its_entry),
    "no batch": ("batch-missing", lambda g: g.delete(g.batch, Batch.SORT_KEY)),
    "one step twice": ("step-twice", a_second_instance_on_a_step),
    "a step without an instance": ("step-gap", a_second_instance_on_a_step),
    "a step that the batch does not have": (
        "step-beyond",
        lambda g: g.change(g.batch, Batch.SORT_KEY, size=3, seen="OOO"),
    ),
    "a wrong number of instances": ("batch-size", lambda g: g.change(g.batch, Batch.SORT_KEY, num_instances=3)),
    "a letter too few": ("batch-size", lambda g: g.change(g.batch, Batch.SORT_KEY, size=9)),
    "failed, and not listed": ("list", lambda g: g.change(g.task(0), Task.SORT_KEY, status="F")),
    "listed as failed, and well": (
        "list",
        lambda g: g.change(g.task(0), Task.SORT_KEY, listed_in="1#0", listed_as="00000000000001#0000000000000001"),
    ),
    "a workflow in no list": (
        "list",
        lambda g: g.change(*item.Workflow.key(g.workflow.id), listed_as=None),
    ),
    "a batch in no list": ("list", lambda g: g.change(g.batch, Batch.SORT_KEY, listed_as=None)),
    "an array in another list": ("list", lambda g: g.change(g.array, Array.SORT_KEY, listed_in="WORKFLOW#77")),
    "a batch of another run": ("batch-run", lambda g: g.change(g.batch, Batch.SORT_KEY, workflow_run_id=77)),
    "seen in what it cannot have been in": ("batch-seen", lambda g: g.change(g.batch, Batch.SORT_KEY, seen="DEDO")),
    "seen in no status": ("batch-seen", lambda g: g.change(g.batch, Batch.SORT_KEY, seen="??O?")),
    "a batch that no sweep looks at": ("batch-attention", lambda g: g.change(g.batch, Batch.SORT_KEY, attention=None)),
    "a batch to look at when all have ended": (
        "batch-attention",
        lambda g: g.change(g.batch, Batch.SORT_KEY, seen="DEDD"),
    ),
    "an attention of no form": ("batch-attention", lambda g: g.change(g.batch, Batch.SORT_KEY, attention="W#1")),
    "no array": ("array-missing", lambda g: g.delete(g.array, Array.SORT_KEY)),
    "a batch that its array has not had": ("array-batches", a_batch_of_a_later_number),
    "a lookup of no task": ("lookup", lambda g: g.change(g.lookup, TaskLookup.SORT_KEY, id=g.tasks[0] + 100)),
    "two lookups of one task": ("lookup", lambda g: g.change(g.lookup, TaskLookup.SORT_KEY, id=g.tasks[1])),
    "a lookup of another workflow": (
        "lookup",
        lambda g: g.copy(g.lookup, TaskLookup.SORT_KEY, pk=TaskLookup.key(77, 1, "a").pk),
    ),
    "no lookup of an array": ("lookup", lambda g: g.delete(g.array_lookup, TaskLookup.SORT_KEY)),
    "a lookup of no array": (
        "lookup",
        lambda g: g.copy(g.array_lookup, TaskLookup.SORT_KEY, pk=ArrayLookup.key(77, 1).pk),
    ),
    "a tool without a version": (
        "tool-version",
        lambda g: g.delete(*VersionOfTool.key(g.template.tool_id, g.template.tool_version_id)),
    ),
    "no DAG": ("dag-missing", on_a_dag(lambda g: g.delete(*Dag.key(DAG)))),
    "a part is gone": ("edge-parts", on_a_dag(lambda g: g.delete(*EdgePart.key(DAG, NODE, "UP", 0)))),
    "a count too many": (
        "edge-parts",
        on_a_dag(lambda g: g.change(*Edge.key(DAG, NODE), upstream_in_parts=301)),
    ),
    "an edge in another partition": (
        "edge-shard",
        on_a_dag(lambda g: g.copy(*Edge.key(DAG, NODE), pk=Edge.partition(DAG, NODE + 1))),
    ),
    "a node out of range": (
        "id-out-of-range",
        on_a_dag(lambda g: g.copy(*Edge.key(DAG, NODE), sk=f"EDGE#{2**63}")),
    ),
    "other arguments of nodes": ("node-args", on_a_dag(other_arguments)),
    "resources of no queue": ("queue-missing", resources_of_a_queue),
    "clusters of no form": ("malformed-item", clusters_of(4)),
    "a cluster with another one's id": (
        "clusters",
        clusters_of(([4, "a", "t", None], [[4, "q", "{}"]]), ([4, "b", "t", None], [[5, "q", "{}"]])),
    ),
    "a cluster with a built-in one's name": ("clusters", clusters_of(([4, "dummy", "t", None], [[4, "q", "{}"]]))),
    "a queue with a built-in one's id": ("clusters", clusters_of(([4, "a", "t", None], [[3, "q", "{}"]]))),
    "two queues of one name": ("clusters", clusters_of(([4, "a", "t", None], [[4, "q", "{}"], [5, "q", "{}"]]))),
    "an id below those of clusters": ("clusters", clusters_of(([0, "a", "t", None], [[4, "q", "{}"]]))),
    "limits that no client reads": ("clusters", clusters_of(([4, "a", "t", None], [[4, "q", "{1: exit()}"]]))),
    "connection parameters that are no object": ("clusters", clusters_of(([4, "a", "t", "[]"], [[4, "q", "{}"]]))),
    "a counter behind": ("counter", lambda g: g.change(*Counter.key("task"), last=g.tasks[0])),
    "no counter": ("counter", lambda g: g.delete(*Counter.key("workflow_run"))),
}


def test_a_table_that_is_well_is_clean(engine_ground: Ground, player: Player) -> None:
    ground = engine_ground
    load_clusters()
    ground.workflow.expect("POST", "/task/bind_resources", {"queue_id": 6, "requested_resources": {}})
    live(Workflow(player, 1))
    a_dag(ground)
    assert ground.audit() == []


@pytest.mark.parametrize("ends", ["log_done", "log_error_worker_node"])
def test_an_earlier_attempt_that_ends_alone_is_no_finding(ground: Ground, player: Player, ends: str) -> None:
    workflow = Workflow(player, 1)
    [(task_id, _)] = workflow.bind().values()
    [first] = workflow.queue([task_id])
    workflow.start(first)
    row = [1, "args 0", workflow.array, 1, "t", "true", 3, True, {}, []]
    bound = {"workflow_id": workflow.id, "tasks": {"0": row}}
    assert workflow.expect("PUT", "/task/bind_tasks_no_args", bound) == {"tasks": {"0": [task_id, "G"]}}
    assert ground.audit() == []
    [second] = workflow.queue([task_id])
    workflow.start(second)
    said = {} if ends == "log_done" else {"error_state": "E", "error_description": "boom"}
    ended = workflow.report(first, ends, **said)
    assert ended == (200, {"status": "D" if ends == "log_done" else "E"})
    whole = workflow.expect("GET", f"/task_instance/{second}")
    assert (whole["task_instance"]["status"], whole["task"]["status"]) == ("R", "R")
    assert ground.audit() == []
    assert workflow.report(second, "log_done")[0] == 200
    assert ground.audit() == []


def test_only_reads_are_sent(engine_ground: Ground) -> None:
    ground = engine_ground
    ground.change(ground.task(0), Task.SORT_KEY, status="R")
    ground.change(ground.batch, Batch.SORT_KEY, size=9)
    assert ground.audit()
    assert set(ground.watched.asked) == READS


@pytest.mark.parametrize(("check", "tear"), TEARS.values(), ids=TEARS)
def test_what_is_torn_is_named(ground: Ground, check: str, tear: Callable[[Ground], None]) -> None:
    tear(ground)
    findings = ground.audit()
    assert check in {finding.check for finding in findings}, findings


ENTRIES: Final[dict[str, RawItem]] = {
    "array-step": {"array_step": {"S": "77#1#0"}, "array_step_id": {"N": "0"}},
    "run": {"workflow_run_id": {"N": "1"}, "attention": {"S": "I#T"}},
    "feed": {"feed": {"S": "77#0"}, "changed": {"S": "00000000001500#D"}},
    "listed": {"listed_in": {"S": "WORKFLOWS"}, "listed_as": {"S": "0000000000000077"}},
}
"""Of each index, what it lists of an item that is not there."""


def lag(ground: Ground, index: str, *, hide: bool, pk: str, entry: RawItem | None = None) -> None:
    """The index never shows a partition's items, or shows one for ever."""
    inner = ground.raw

    class Lagging:
        exceptions = inner.exceptions

        def __getattr__(self, operation: str) -> Callable[..., Any]:
            def ask(**request: Any) -> Any:
                reply = getattr(inner, operation)(**request)
                if request.get("IndexName") == index:
                    kept = [raw for raw in reply["Items"] if raw["pk"]["S"] != pk]
                    reply["Items"] = kept if hide else reply["Items"] + listed[operation]
                return reply

            return ask

    gone: RawItem = entry or {"pk": {"S": pk}, "sk": {"S": TaskInstance.sort_key(1)}, **ENTRIES[index]}
    listed = {"scan": [gone], "query": [gone]}
    ground.watched = Watched(Lagging())


@pytest.mark.parametrize("index", ENTRIES)
def test_an_index_that_lists_what_is_not_there_is_named(ground: Ground, index: str) -> None:
    lag(ground, index, hide=False, pk=Task.partition(999_999))
    assert {finding.check for finding in ground.audit()} == {f"{index}-index"}


HIDDEN: Final[dict[str, tuple[str, Callable[[Ground], str]]]] = {
    "an instance by its step": ("array-step", lambda g: g.task(2)),
    "an instance that needs attention": ("run", lambda g: g.task(2)),
    "a task that is done, of the change feed": ("feed", lambda g: g.task(0)),
    "a workflow": ("listed", lambda g: item.Workflow.key(g.workflow.id).pk),
    "an array": ("listed", lambda g: g.array),
    "a batch": ("listed", lambda g: g.batch),
    "a task that failed for good": ("listed", lambda g: g.task(3)),
}


@pytest.mark.parametrize(("index", "whose"), HIDDEN.values(), ids=HIDDEN)
def test_an_index_that_hides_an_item_is_named(ground: Ground, index: str, whose: Callable[[Ground], str]) -> None:
    fails_for_good(ground, 3)
    lag(ground, index, hide=True, pk=whose(ground))
    assert {finding.check for finding in ground.audit()} == {f"{index}-index"}


def fails_for_good(ground: Ground, number: int) -> None:
    """A task that is queued has no attempt left, and uses the last one up."""
    ground.change(ground.task(number), Task.SORT_KEY, max_attempts=1)
    ground.workflow.fail(ground.tasks[number] * 1000 + 1)


def test_an_index_that_lists_a_task_as_it_was_is_named(ground: Ground) -> None:
    """Under an entry that the task has no more, beside the one that it has."""
    before = ground.item(ground.task(0), Task.SORT_KEY)
    ground.change(ground.task(0), Task.SORT_KEY, changed="00000000000001#D")
    shown = {name: before[name] for name in ("pk", "sk", "feed", "changed")}
    lag(ground, "feed", hide=False, pk=ground.task(0), entry=shown)
    [finding] = ground.audit()
    assert finding.check == "feed-index"
    assert finding.got.count("listed under") == 2


def test_an_index_that_catches_up_is_no_finding(ground: Ground) -> None:
    lag(ground, "array-step", hide=True, pk=ground.task(2))
    lagging, caught_up = ground.watched, Watched(ground.raw)

    def sleep(seconds: float) -> None:
        assert seconds > 0
        ground.watched.__dict__.update(caught_up.__dict__)

    ground.time.sleep = sleep  # type: ignore[method-assign]
    assert ground.audit() == []
    assert lagging.asked is caught_up.asked


def test_a_task_that_is_seeded_keeps_nothing_of_earlier_attempts(ground: Ground) -> None:
    array = {"array_id": 5, "name": "a", "workflow_id": 1, "task_template_version_id": 1, "max_concurrently_running": 1}
    task = {"task_id": 7, "status": "R", "num_attempts": 2, "max_attempts": 3, "workflow_id": 1, "array_id": 5}
    task |= {"name": "t", "command": "c", "task_resources_id": 1}
    other = {"array_id": 5, "array_batch_num": 3, "task_resources_id": 1}
    instance = {"task_instance_id": 7002, "status": "R", "workflow_run_id": 1, "array_step_id": 0, **other}
    another = {"task_instance_id": 8001, "status": "T", "workflow_run_id": 2, "array_step_id": 4, **other}
    rows = {"tasks": [task, task | {"task_id": 8}], "task_instances": [instance, another]}
    load(Seed.model_validate({"arrays": [array], **rows}))
    time = Time()
    reader = Reader(ground.raw, Item.Meta.table_name, Budget(None, time.clock, time.sleep))
    assert list(audit(reader, Seen())) == []


def test_texts_that_were_cut_alike_are_entries_of_their_own(ground: Ground) -> None:
    for middle in ("m", "n"):
        said = f"{'a' * MAX_ERROR_BYTES}{middle}{'z' * MAX_ERROR_BYTES}"
        report = {"error_state": "E", "error_description": said}
        assert ground.workflow.report(ground.tasks[0] * 1000 + 1, "log_error_worker_node", **report)[0] == 200
    assert ground.audit() == []


def test_a_pair_that_moves_while_it_is_read_is_no_finding(ground: Ground) -> None:
    """The scan is torn: its first answer has the task as it was before it moved with its instance."""
    stale = ground.item(ground.task(1), Task.SORT_KEY)
    ground.workflow.expect("POST", f"/task_instance/{ground.tasks[1] * 1000 + 2}/log_done", {})
    _show_once(ground, stale)
    assert ground.audit() == []
    assert "transact_get_items" in ground.watched.asked


def _show_once(ground: Ground, *stale: RawItem) -> None:
    """Scans of the table show these items as they were."""
    old = {(raw["pk"]["S"], raw["sk"]["S"]): raw for raw in stale}
    inner = ground.raw

    class Torn:
        exceptions = inner.exceptions

        def __getattr__(self, operation: str) -> Callable[..., Any]:
            def ask(**request: Any) -> Any:
                reply = getattr(inner, operation)(**request)
                if operation == "scan" and "IndexName" not in request:
                    items = [old.get((raw["pk"]["S"], raw["sk"]["S"]), raw) for raw in reply["Items"]]
                    reply["Items"] = [raw for raw in items if raw]
                return reply

            return ask

    ground.watched = Watched(Torn())


def test_what_comes_and_goes_while_it_is_read_is_no_finding(ground: Ground) -> None:
    """Between the scan and what follows, tasks are bound, queued, swept and done."""
    workflow = ground.workflow
    moves = iter(
        [
            lambda: workflow.queue([ground.tasks[2]]),
            lambda: workflow.expect("POST", f"/task_instance/{ground.tasks[1] * 1000 + 2}/log_done", {}),
            lambda: live(workflow_of_one(workflow)),
            lambda: workflow.start(ground.tasks[3] * 1000 + 1),
            ground.sweep,
        ]
    )
    end = {"error_state": "U", "error_message": "lost"}
    workflow.report(ground.tasks[2] * 1000 + 1, "log_known_error", **end)
    seen: list[str] = []

    def move(operation: str, _: dict[str, Any]) -> None:
        seen.append(operation)
        if len(seen) > 1:
            next(moves, lambda: None)()

    ground.watched.before = move
    assert ground.audit() == []
    assert next(moves, None) is None, "all of it happened while the table was read"


def workflow_of_one(workflow: Workflow) -> Workflow:
    return Workflow(workflow._player, 1)  # noqa: SLF001  # another one on the same table


@pytest.mark.parametrize("rate", [1.0, 20.0])
def test_no_more_is_taken_than_was_allowed(engine_ground: Ground, rate: float) -> None:
    ground = engine_ground
    budget = Budget(rate, ground.time.clock, ground.time.sleep)
    taken: list[tuple[float, float]] = []
    ground.watched.before = lambda *_: taken.append((ground.time.at, budget.units))
    assert list(audit(Reader(ground.watched, ground.name, budget), Seen())) == []
    assert len(taken) > 5
    assert all(units <= rate * at + 1e-6 for at, units in taken), "what was taken before a request is paid for"


def test_a_table_that_cannot_be_read_is_no_clean_one(table: str) -> None:
    reader = Reader(client(table), "no-such-table", Budget(None))
    with pytest.raises(CannotReadError, match="no-such-table"):
        list(audit(reader, Seen()))


def test_the_command_says_what_it_counted(engine_ground: Ground) -> None:
    ground = engine_ground
    clean = run_module("ops.audit", "--table", ground.name, "--region", "us-east-1", "--rate", "100000")
    assert (clean.returncode, clean.stderr) == (0, ""), clean.stdout
    assert clean.stdout.endswith("Everything fits together.\n")
    cells = {row[0]: row[1] for line in clean.stdout.splitlines() if len(row := _cells(line)) == 2}
    assert (cells["tasks"], cells["task instances"], cells["task instance DONE"]) == ("4", "5", "1")
    ground.change(ground.task(0), Task.SORT_KEY, status="R")
    torn = run_module("ops.audit", "--table", ground.name, "--region", "us-east-1", "--rate", "100000")
    assert torn.returncode == 1
    assert torn.stdout.startswith(f"pair: task {ground.tasks[0]}, task instance {ground.tasks[0] * 1000 + 1} DONE: is ")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("│").split("│")]


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
    environment = alone()
    run = [sys.executable, "-m", "local.run", "--port", "0"]
    with subprocess.Popen(run, cwd=ROOT, env=environment, stdout=subprocess.PIPE, encoding="utf-8") as running:
        assert running.stdout
        url = running.stdout.readline().split()[2]
        port = url.split("/")[2].partition(":")[2]
        seeded = [sys.executable, "-m", "local.seed", "docs/hello.json", "--port", port]
        subprocess.run(seeded, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE)
        command = [sys.executable, "-m", "ops.audit", "--port", port]
        clean = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)
        running.terminate()
    assert (clean.returncode, clean.stderr) == (0, ""), clean.stdout
    gone = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert (gone.returncode, gone.stdout) == (2, f"nothing runs on port {port}: start it with `make run PORT={port}`\n")
