"""The audit names what does not fit together of a workflow, its runs and its tasks, and nothing that is in between."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import pytest

from lockstep.dag.item import Edge
from lockstep.dynamodb.item import Key
from lockstep.task.bound_item import ArgumentChunk, Resources, TaskLookup
from lockstep.task.item import Task
from lockstep.workflow.item import (
    RunOfWorkflow,
    TaskRange,
    Workflow,
    WorkflowAttribute,
    WorkflowLookup,
    WorkflowSpec,
)
from lockstep.workflow_run.item import WorkflowRun
from ops.audit import tasks
from ops.audit.audit import audit
from ops.audit.seen import Seen
from ops.audit.small import InMemory, check_table
from tests.conformance.recording import Player
from tests.support.memory import in_memory

Table = dict[tuple[str, str], Mapping[str, Any]]


class Ids(NamedTuple):
    """What a client was told."""

    tool_version: int
    dag: int
    node: int
    array: int
    resources: int
    workflow: int
    task: int
    run: int


class Client:
    """Binds and runs a workflow, as Jobmon's client does."""

    def __init__(self) -> None:
        self._player = Player()

    def ask(self, method: str, path: str, **body: Any) -> Any:
        status, reply = self._player.send(method, f"/api/v3/{path}", json.dumps(body) if body else None)
        assert status == 200, (path, reply)
        return reply

    def bind_workflow(self, *, edges: bool = True) -> dict[str, Any]:
        """With its tool, template, node and DAG."""
        tool = self.ask("POST", "tool", name="x")["tool"][0]
        tool_version = self.ask("GET", f"tool/{tool}/tool_versions")["tool_versions"][0][0]
        named = {"tool_version_id": tool_version, "task_template_name": "a"}
        template = self.ask("POST", "task_template", **named)["task_template_id"]
        version = {"command_template": "c", "arg_mapping_hash": 1, "node_args": ["a"], "task_args": [], "op_args": []}
        bound = self.ask("POST", f"task_template/{template}/add_version", **version)["task_template_version"][0]
        dag = self.ask("POST", "dag", dag_hash=7)["dag_id"]
        nodes = [{"task_template_version_id": bound, "node_args_hash": "1", "node_args": {"1": "x"}}]
        [node] = self.ask("POST", "nodes", nodes=nodes)["nodes"].values()
        edge = {"node_id": node, "upstream_node_ids": [], "downstream_node_ids": []}
        self.ask("POST", f"dag/{dag}/edges", edges_to_add=[edge] * edges, mark_created=True)
        hashes = {"workflow_args_hash": 1, "task_hash": 1, "tool_version_id": tool_version, "dag_id": dag}
        said = {"name": "w", "description": "", "workflow_args": "", "workflow_attributes": {"a": "b"}}
        workflow = self.ask("POST", "workflow", max_concurrently_running=9, **hashes, **said)["workflow_id"]
        limits = {"max_concurrently_running": 9, "name": "a", "task_template_version_id": bound}
        array = self.ask("POST", "array", workflow_id=workflow, **limits)["array_id"]
        resources = self.ask("POST", "task/bind_resources", queue_id=1, requested_resources={})
        known = {"tool_version": tool_version, "dag": dag, "node": node, "array": array, "resources": resources}
        return known | {"workflow": workflow}

    def bind_task(self, known: dict[str, Any], *, complete: bool, name: str = "t") -> int:
        row = [known["node"], "0", known["array"], known["resources"], name, "true", 3, True, {}, []]
        body = {"workflow_id": known["workflow"], "mark_created": complete, "tasks": {"1": row}}
        [[task, _]] = self.ask("PUT", "task/bind_tasks_no_args", **body)["tasks"].values()
        return int(task)

    def link(self, workflow: int) -> int:
        said = {"user": "u", "jobmon_version": "3", "next_report_increment": 93}
        return int(self.ask("POST", "workflow_run", workflow_id=workflow, **said)["workflow_run_id"])

    def move(self, run: int, *statuses: str) -> None:
        for status in statuses:
            self.ask("PUT", f"workflow_run/{run}/update_status", status=status)


@cache
def running() -> tuple[Ids, Table]:
    """A workflow whose run is under way."""
    with in_memory() as memory:
        client = Client()
        known = client.bind_workflow()
        task = client.bind_task(known, complete=True)
        client.ask("PUT", "task/bind_task_args", task_args=[[task, 1, "x"]])
        client.ask("PUT", "task/bind_task_attributes", task_attributes={str(task): {"k": "v"}})
        run = client.link(known["workflow"])
        client.move(run, "B", "I", "O", "R")
        return Ids(task=task, run=run, **known), dict(memory.items)


Tear = Callable[[Table, Ids], None]
Where = Callable[[Ids], Key]


def gone(where: Where) -> Tear:
    def tear(table: Table, ids: Ids) -> None:
        del table[where(ids)]

    return tear


def changed(where: Where, **values: str | int | None) -> Tear:
    """None takes an attribute away."""

    def tear(table: Table, ids: Ids) -> None:
        item = {name: value for name, value in table[where(ids)].items() if name not in values}
        added = {
            name: {"S" if isinstance(value, str) else "N": str(value)}
            for name, value in values.items()
            if value is not None
        }
        table[where(ids)] = item | added

    return tear


def copied(where: Where, to: Where) -> Tear:
    def tear(table: Table, ids: Ids) -> None:
        key = to(ids)
        table[key] = dict(table[where(ids)]) | {"pk": {"S": key.pk}, "sk": {"S": key.sk}}

    return tear


def moved(where: Where, to: Where) -> Tear:
    def tear(table: Table, ids: Ids) -> None:
        copied(where, to)(table, ids)
        del table[where(ids)]

    return tear


def workflow(ids: Ids) -> Key:
    return Workflow.key(ids.workflow)


def spec(ids: Ids) -> Key:
    return WorkflowSpec.key(ids.workflow)


def lookup(ids: Ids) -> Key:
    return WorkflowLookup.key("1", ids.tool_version, ids.dag, "1")


def run(ids: Ids) -> Key:
    return WorkflowRun.key(ids.run)


def in_run_index(attention: str | None, by: int = 0) -> Tear:
    """Under the run's id, or one that is so much greater."""
    return lambda table, ids: changed(run, attention=attention, workflow_run_id=ids.run + by)(table, ids)


def pointer(ids: Ids) -> Key:
    return RunOfWorkflow.key(ids.workflow, ids.run)


def task_range(ids: Ids) -> Key:
    return TaskRange.key(ids.workflow, ids.task)


def task(ids: Ids) -> Key:
    return Task.key(ids.task)


def task_lookup(ids: Ids) -> Key:
    return TaskLookup.key(ids.workflow, ids.node, "0")


def arguments_elsewhere(table: Table, ids: Ids) -> None:
    [key] = [key for key in table if key[0].startswith("ARGUMENTS#")]
    moved(lambda _: Key(*key), lambda _: ArgumentChunk.key(9, key[1]))(table, ids)


def other_arguments(table: Table, ids: Ids) -> None:
    [key] = [key for key in table if key[0].startswith("ARGUMENTS#")]
    moved(lambda _: Key(*key), lambda _: Key(key[0], "0123456789abc"))(table, ids)


def in_part(part: int) -> Tear:
    def tear(table: Table, ids: Ids) -> None:
        changed(task, feed=f"{ids.workflow}#{part}")(table, ids)

    return tear


def no_dag(table: Table, ids: Ids) -> None:
    for key in [key for key in table if key[0].startswith(f"DAG#{ids.dag}")]:
        del table[key]


TEARS: Final[dict[str, tuple[str, Tear]]] = {
    "no lookup of a workflow": ("lookup", gone(lookup)),
    "a lookup of another workflow": ("lookup", changed(lookup, id=9_999)),
    "two lookups of one workflow": ("lookup", copied(lookup, lambda ids: WorkflowLookup.key("2", 1, ids.dag, "1"))),
    "no specification": ("lookup", gone(spec)),
    "a specification with another hash than its lookup": ("lookup", changed(spec, task_hash="5")),
    "no workflow": ("orphan", gone(workflow)),
    "an attribute of no workflow": (
        "orphan",
        copied(lambda ids: WorkflowAttribute.key(ids.workflow, "a"), lambda _: WorkflowAttribute.key(77, "a")),
    ),
    "a pointer of no workflow": ("orphan", moved(pointer, lambda ids: RunOfWorkflow.key(77, ids.run))),
    "a workflow of no DAG": ("dag-missing", no_dag),
    "a task of no resources": ("resources-missing", gone(lambda ids: Resources.key(ids.resources))),
    "a complete DAG without edges": ("dag-edges", gone(lambda ids: Edge.key(ids.dag, ids.node))),
    "no range of task ids": ("task-range", gone(task_range)),
    "a range of another array": ("task-range", changed(task_range, arrays="[[77, 1]]")),
    "a range that says an id is not in use": ("task-range", changed(task_range, arrays="[[0, 1]]")),
    "a range of another workflow": ("task-range", moved(task_range, lambda ids: TaskRange.key(77, ids.task))),
    "fewer tasks counted than are there": ("num-tasks", changed(workflow, num_tasks=0)),
    "tasks in a part of the change feed that no poll reads": ("num-tasks", in_part(1)),
    "a task in another workflow's change feed": ("feed", changed(task, feed="77#0")),
    "a task in a part that no change feed has": ("feed", in_part(16)),
    "no lookup of a task": ("lookup", gone(task_lookup)),
    "a lookup of a task under another node": (
        "lookup",
        moved(task_lookup, lambda ids: TaskLookup.key(ids.workflow, 5, "0")),
    ),
    "a lookup of a task in another workflow": (
        "lookup",
        moved(task_lookup, lambda ids: TaskLookup.key(77, ids.node, "0")),
    ),
    "arguments of tasks far away": ("task-args", arguments_elsewhere),
    "arguments under another digest": ("task-args", other_arguments),
    "a run in the index under no form": ("run-attention", in_run_index("J#1")),
    "a run in the index as a batch": ("run-attention", in_run_index("W#00000000001500")),
    "a run in the index under another one's id": ("run-attention", in_run_index("J#", by=1)),
    "a run that is in no index, with an id for it": ("run-attention", in_run_index(None)),
    "no pointer to a run": ("run-pointer", gone(pointer)),
    "no pointer to a run that has ended": (
        "run-pointer",
        lambda table, ids: [
            tear(table, ids)
            for tear in (changed(run, status="D"), changed(workflow, workflow_run_id=None, status="D"), gone(pointer))
        ].clear(),
    ),
    "a pointer to no run": ("run-pointer", gone(run)),
    "a pointer to another workflow's run": ("run-pointer", changed(run, workflow_id=77)),
    "a run that goes on and holds nothing": ("holder", changed(workflow, workflow_run_id=None)),
    "two runs that go on": ("holder", copied(run, lambda ids: WorkflowRun.key(ids.run - 1))),
    "held by a run that has ended": ("holder", changed(run, status="D")),
    "held by no run": ("holder", gone(run)),
    "a run of a workflow that is not bound": ("holder", changed(workflow, created_date=None)),
    "a run that goes on, of a workflow that is done": ("standing", changed(workflow, status="D")),
    "a run that goes on, of a workflow that registers": ("standing", changed(workflow, status="G")),
    "a run that links, of a workflow that runs": ("standing", changed(run, status="L")),
    "a run that ends for a resume, of a workflow that has halted": (
        "standing",
        lambda table, ids: [
            tear(table, ids) for tear in (changed(run, status="C"), changed(workflow, status="H"))
        ].clear(),
    ),
}


@pytest.mark.parametrize(("check", "tear"), TEARS.values(), ids=TEARS)
def test_what_is_torn_is_named(check: str, tear: Tear) -> None:
    ids, table = running()
    torn = dict(table)
    tear(torn, ids)
    findings = check_table(torn)
    assert check in {finding.check for finding in findings}, findings


@pytest.mark.parametrize("ends", ["D", "E", "S", "C", "H", "CT", "HT"])
def test_a_life_is_clean_at_each_step(ends: str) -> None:
    with in_memory() as memory:
        client = Client()
        known = client.bind_workflow()
        assert check_table(memory.items) == []
        client.bind_task(known, complete=False)
        assert check_table(memory.items) == []
        client.bind_task(known, complete=True, name="again")
        run_id = client.link(known["workflow"])
        for status in ("B", "I", "O", "R", *ends):
            assert check_table(memory.items) == []
            client.move(run_id, status)
        assert check_table(memory.items) == []


@pytest.mark.parametrize("attention", ["J#", "J#00000000001500"])
def test_a_run_that_looks_after_earlier_ones_is_clean(attention: str) -> None:
    ids, table = running()
    items = dict(table)
    in_run_index(attention)(items, ids)
    assert check_table(items) == []


def test_a_dag_that_was_completed_without_edges_is_clean() -> None:
    with in_memory() as memory:
        client = Client()
        client.bind_task(client.bind_workflow(edges=False), complete=True)
        assert check_table(memory.items) == []


def test_a_run_that_could_not_bind_its_tasks_is_clean() -> None:
    with in_memory() as memory:
        client = Client()
        known = client.bind_workflow()
        client.bind_task(known, complete=True)
        client.move(client.link(known["workflow"]), "A")
        client.move(client.link(known["workflow"]), "B")
        assert check_table(memory.items) == []


def test_ids_that_were_noted_and_not_counted_are_clean() -> None:
    """The call that allocated them died in between."""
    ids, table = running()
    items = dict(table)
    copied(task_range, lambda ids: TaskRange.key(ids.workflow, ids.task - 9))(items, ids)
    assert check_table(items) == []


def test_what_may_be_missing_or_differ_of_a_task_is_clean() -> None:
    ids, table = running()
    for tears in (
        [changed(workflow, num_tasks=9)],
        [changed(task_range, arrays=None)],
        [changed(task, spec_version=2), changed(task_range, arrays="[[77, 1]]")],
        [changed(task, bound_as=None), gone(task_lookup)],
        [changed(task, expires_at=2_000_000_000), gone(task_lookup)],
    ):
        items = dict(table)
        for tear in tears:
            tear(items, ids)
        assert check_table(items) == []


def test_a_task_that_is_bound_while_the_table_is_read_needs_no_lookup_yet() -> None:
    """The scan saw the place of the lookup before it was there, and the task after."""
    ids, table = running()
    items = dict(table)
    gone(task_lookup)(items, ids)
    seen, reads = Seen(), InMemory(items)
    found = {finding.check for finding in audit(reads, seen)}
    assert found == {"lookup"}
    assert list(tasks.check(seen, reads, ids.task - 1)) == []
    reads_now = InMemory(table)
    assert list(tasks.check(seen, reads_now, ids.task)) == []
