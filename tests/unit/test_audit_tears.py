"""The audit names what is torn, of each kind of thing, and nothing of what is in between."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from lockstep.array.item import Array, ArrayLookup, Batch
from lockstep.cluster.item import Clusters
from lockstep.dag.item import Dag, Edge, EdgePart
from lockstep.dynamodb.counters import COUNTED, Counter
from lockstep.dynamodb.item import Key
from lockstep.task.bound_item import ArgumentChunk, Resources, Spec, TaskLookup
from lockstep.task.item import Task, failed_key
from lockstep.task_instance.item import ErrorEntry, ErrorText, InstanceKey, Log, TaskInstance
from lockstep.task_template.item import TaskTemplate, TemplateLookup, TemplateVersion
from lockstep.text import digest
from lockstep.tool.item import Tool, ToolLookup, ToolVersion, VersionOfTool
from lockstep.workflow.item import RunOfWorkflow, TaskRange, Workflow, WorkflowAttribute, WorkflowLookup, WorkflowSpec
from lockstep.workflow_run.item import WorkflowRun
from ops.audit import tasks
from ops.audit.audit import audit
from ops.audit.seen import Seen
from ops.audit.small import InMemory, check_table
from tests.conformance.recording import Player
from tests.support.audited import (
    ARRAY,
    DAG,
    FREE_DAG,
    FREE_NODE,
    NODE,
    RESOURCES,
    RUN,
    TASK,
    TASKS,
    TOOL_VERSION,
    VERSION_OF_TEMPLATE,
    WORKFLOW,
    Client,
    Items,
    Tear,
    added,
    all_of,
    changed,
    copied,
    gone,
    moved,
    torn,
    whole,
)
from tests.support.memory import in_memory

OVERDUE: Final = TaskInstance.key(InstanceKey(TASKS[2], 1))
OF_ARRAY: Final = ArrayLookup.key(WORKFLOW, VERSION_OF_TEMPLATE)
DONE, DONE_TASK, DONE_SPEC = TaskInstance.key(InstanceKey(TASKS[0], 1)), Task.key(TASKS[0]), Spec.key(TASKS[0])
FAILED, AGAIN = (TaskInstance.key(InstanceKey(TASKS[1], number)) for number in (1, 2))
TASK_AGAIN, QUEUED, QUEUED_TASK = Task.key(TASKS[1]), TaskInstance.key(InstanceKey(TASKS[3], 1)), Task.key(TASKS[3])
IN_ARRAY, BATCH, SECOND_BATCH = Array.key(ARRAY), Batch.key(ARRAY, 1), Batch.key(ARRAY, 2)
A_TASK, LOOKUP, RANGE = Task.key(TASK), TaskLookup.key(WORKFLOW, NODE, "0"), TaskRange.key(WORKFLOW, TASK)
A_WORKFLOW, SPEC = Workflow.key(WORKFLOW), WorkflowSpec.key(WORKFLOW)
BOUND: Final = WorkflowLookup.key("1", TOOL_VERSION, DAG, "1")
A_RUN, POINTER = WorkflowRun.key(RUN), RunOfWorkflow.key(WORKFLOW, RUN)
EDGE, TEMPLATE, NAMED = Edge.key(FREE_DAG, FREE_NODE), TemplateLookup.key(4, "t"), ToolLookup.key("a")
VERSION: Final = TemplateVersion.key(6, "run {n}", "5")
[ARGUMENTS] = [Key(pk, sk) for pk, sk in whole() if pk.startswith("ARGUMENTS#")]
[OF_NODES] = [Key(pk, sk) for pk, sk in whole() if pk == "NODES#1"]


def attempt(number: int, of: type[Log | TaskInstance] = TaskInstance) -> Key:
    """Of the task that is done."""
    return of.key(InstanceKey(TASKS[0], number))


def error(number: int, under: str, **said: Any) -> Tear:
    """An entry of an attempt, under the digest of some words."""
    return added(ErrorEntry.key(InstanceKey(TASKS[1], number), digest(under)), error_time={"N": "1"}, **said)


def clusters(*stored: object) -> Tear:
    """The table holds these clusters, whatever they are."""
    return added(Clusters.key(), version={"N": "1"}, clusters={"S": json.dumps(stored)})


def cluster(
    number: object, name: str, *queues: tuple[int, str, str], parameters: str | None = None
) -> tuple[list[object], tuple[tuple[int, str, str], ...]]:
    return [number, name, "t", parameters], queues or ((4, "q", "{}"),)


def one_behind(kind: str) -> Tear:
    def tear(items: Items) -> None:
        key = Counter.key(kind)
        changed(key, last=int(items[key]["last"]["N"]) - 1)(items)

    return tear


def no_dag(items: Items) -> None:
    gone(*[Key(pk, sk) for pk, sk in items if f"{pk}#".startswith(f"DAG#{DAG}#")])(items)


TEARS: Final[dict[str, tuple[str, Tear]]] = {
    "an item of no kind": ("unknown-item", added(Key("SURPRISE", "X"))),
    "an unknown item of a task": ("unknown-item", copied(DONE_TASK, DONE_TASK._replace(sk="TASKS"))),
    "an item without an attribute": ("malformed-item", changed(DONE_TASK, array_id=None)),
    "an attribute of another type": ("malformed-item", changed(DONE_TASK, num_attempts="x")),
    "an array id out of range": ("id-out-of-range", changed(DONE_TASK, array_id=2**53)),
    "a step out of range": ("id-out-of-range", changed(DONE, array_step_id=10**9)),
    "an instance numbered 0": ("id-out-of-range", copied(DONE, DONE._replace(sk="TI#000"))),
    # A task and its attempts
    "no task": ("orphan", gone(DONE_TASK)),
    "two specifications": ("binding", changed(DONE_TASK, command="c")),
    "no specification of a task": ("orphan", gone(DONE_SPEC)),
    "logs of nobody": ("orphan", copied(attempt(1, Log), attempt(7, Log))),
    "errors of nobody": ("orphan", error(9, "x", description={"S": "x"})),
    "an attempt that is gone": ("instance-numbers", gone(FAILED)),
    "the last attempt is gone": ("instance-numbers", gone(AGAIN)),
    "more instances than were given": ("instance-numbers", copied(DONE, attempt(2))),
    "more attempts than instances": ("attempts", changed(TASK_AGAIN, num_attempts=3)),
    "more attempts than allowed": ("attempts", changed(TASK_AGAIN, max_attempts=1)),
    "a specification of another binding": ("binding", changed(DONE_SPEC, spec_version=2)),
    "a specification in another array": ("binding", changed(DONE_SPEC, array_id=77)),
    "an instance of a later binding": ("binding", changed(DONE, spec_version=2)),
    "an unknown status": ("status", changed(DONE, status="?")),
    "an unknown task status": ("status", changed(DONE_TASK, status="?")),
    "done, and its task runs": ("pair", changed(DONE_TASK, status="R")),
    "runs, and its task is done": ("pair", changed(TASK_AGAIN, status="D")),
    "the last attempt runs, and its task is done": ("pair", changed(TASK_AGAIN, status="D", spec_version=2)),
    "the last attempt runs, and its task has failed": ("pair", changed(TASK_AGAIN, status="F", spec_version=2)),
    "an earlier attempt that still runs": ("pair", changed(FAILED, status="R")),
    "a legacy status": ("pair", changed(DONE, status="B")),
    "a queued task without an instance": ("pair", all_of(gone(QUEUED), changed(QUEUED_TASK, num_instances=0))),
    "triaged without a flag": ("attention-flag", changed(OVERDUE, attention=None)),
    "flagged and well": ("attention-flag", changed(DONE, attention="I#T")),
    "words under another's digest": ("error-digest", error(1, "bang", description={"S": "boom"})),
    "the same words twice": ("duplicate-error", error(1, "bang", description={"S": "boom"})),
    "an entry whose long text is gone": ("orphan", error(1, "x", text_bytes={"N": "5000"})),
    "a long text of no entry": (
        "orphan",
        added(ErrorText.key(InstanceKey(TASKS[1], 1), digest("x")), description={"S": "x"}),
    ),
    # An array and its batches
    "listed under another batch": ("step-key", changed(DONE, array_step="77#1#0")),
    "no batch": ("batch-missing", gone(BATCH)),
    "one step twice": ("step-twice", changed(DONE, array_step_id=1)),
    "a step without an instance": ("step-gap", changed(DONE, array_step_id=1)),
    "a step that the batch does not have": ("step-beyond", changed(BATCH, size=3, seen="OOO")),
    "a wrong number of instances": ("batch-size", changed(BATCH, num_instances=3)),
    "a letter too few": ("batch-size", changed(BATCH, size=9)),
    "a batch of another run": ("batch-run", changed(BATCH, workflow_run_id=77)),
    "seen in what it cannot have been in": ("batch-seen", changed(BATCH, seen="DEDO")),
    "seen in no status": ("batch-seen", changed(BATCH, seen="??O?")),
    "a batch that no sweep looks at": ("batch-attention", changed(BATCH, attention=None)),
    "a batch to look at when all have ended": ("batch-attention", changed(BATCH, seen="DEDD")),
    "an attention of no form": ("batch-attention", changed(BATCH, attention="W#1")),
    "no array": ("array-missing", gone(IN_ARRAY)),
    "a batch that its array has not had": ("array-batches", changed(IN_ARRAY, num_batches=1)),
    "failed, and not listed": ("list", changed(DONE_TASK, status="F")),
    "listed as failed, and well": ("list", changed(DONE_TASK, listed_in="1#0", listed_as=failed_key(1, 1))),
    "a workflow in no list": ("list", changed(A_WORKFLOW, listed_as=None)),
    "a batch in no list": ("list", changed(BATCH, listed_as=None)),
    "an array in another list": ("list", changed(IN_ARRAY, listed_in="WORKFLOW#77")),
    "no lookup of an array": ("lookup", gone(OF_ARRAY)),
    "a lookup of no array": ("lookup", copied(OF_ARRAY, ArrayLookup.key(77, 1))),
    # A workflow, its tasks and its runs
    "no lookup of a workflow": ("lookup", gone(BOUND)),
    "a lookup of a workflow that is another one's": ("lookup", changed(BOUND, id=9_999)),
    "two lookups of one workflow": ("lookup", copied(BOUND, WorkflowLookup.key("2", TOOL_VERSION, DAG, "1"))),
    "no specification of a workflow": ("lookup", gone(SPEC)),
    "a specification with another hash than its lookup": ("lookup", changed(SPEC, task_hash="5")),
    "no workflow": ("orphan", gone(A_WORKFLOW)),
    "an attribute of no workflow": (
        "orphan",
        copied(WorkflowAttribute.key(WORKFLOW, "a"), WorkflowAttribute.key(77, "a")),
    ),
    "a pointer of no workflow": ("orphan", moved(POINTER, RunOfWorkflow.key(77, RUN))),
    "a workflow of no DAG": ("dag-missing", no_dag),
    "a task of no resources": ("resources-missing", gone(Resources.key(RESOURCES))),
    "no range of task ids": ("task-range", gone(RANGE)),
    "a range of another array": ("task-range", changed(RANGE, arrays="[[77, 1]]")),
    "a range that says an id is not in use": ("task-range", changed(RANGE, arrays="[[0, 1]]")),
    "a range of another workflow": ("task-range", moved(RANGE, TaskRange.key(77, TASK))),
    "fewer tasks counted than are there": ("num-tasks", changed(A_WORKFLOW, num_tasks=0)),
    "tasks in a part of the change feed that no poll reads": ("num-tasks", changed(A_TASK, feed=f"{WORKFLOW}#1")),
    "a task in another workflow's change feed": ("feed", changed(A_TASK, feed="77#0")),
    "a task in a part that no change feed has": ("feed", changed(A_TASK, feed=f"{WORKFLOW}#16")),
    "no lookup of a task": ("lookup", gone(LOOKUP)),
    "a lookup of no task": ("lookup", changed(LOOKUP, id=TASK + 100)),
    "two lookups of one task": ("lookup", changed(LOOKUP, id=TASKS[0])),
    "a lookup more, of another workflow": ("lookup", copied(LOOKUP, TaskLookup.key(77, 1, "a"))),
    "a lookup of a task under another node": ("lookup", moved(LOOKUP, TaskLookup.key(WORKFLOW, 5, "0"))),
    "a lookup of a task in another workflow": ("lookup", moved(LOOKUP, TaskLookup.key(77, NODE, "0"))),
    "arguments of tasks far away": ("task-args", moved(ARGUMENTS, ArgumentChunk.key(9, ARGUMENTS.sk))),
    "arguments under another digest": ("task-args", moved(ARGUMENTS, ARGUMENTS._replace(sk="0123456789abc"))),
    "a run in the index under no form": ("run-attention", changed(A_RUN, attention="J#1")),
    "a run in the index as a batch": ("run-attention", changed(A_RUN, attention="W#00000000001500")),
    "a run in the index under another one's id": (
        "run-attention",
        changed(A_RUN, attention="J#", workflow_run_id=RUN + 1),
    ),
    "a run that is in no index, with an id for it": ("run-attention", changed(A_RUN, workflow_run_id=RUN)),
    "no pointer to a run": ("run-pointer", gone(POINTER)),
    "no pointer to a run that has ended": (
        "run-pointer",
        all_of(changed(A_RUN, status="D"), changed(A_WORKFLOW, workflow_run_id=None, status="D"), gone(POINTER)),
    ),
    "a pointer to no run": ("run-pointer", gone(A_RUN)),
    "a pointer to another workflow's run": ("run-pointer", changed(A_RUN, workflow_id=77)),
    "a run that goes on and holds nothing": ("holder", changed(A_WORKFLOW, workflow_run_id=None)),
    "two runs that go on": ("holder", copied(A_RUN, WorkflowRun.key(RUN - 2))),
    "held by a run that has ended": ("holder", changed(A_RUN, status="D")),
    "held by no run": ("holder", gone(A_RUN)),
    "a run of a workflow that is not bound": ("holder", changed(A_WORKFLOW, created_date=None)),
    "a run that goes on, of a workflow that is done": ("standing", changed(A_WORKFLOW, status="D")),
    "a run that goes on, of a workflow that registers": ("standing", changed(A_WORKFLOW, status="G")),
    "a run that links, of a workflow that runs": ("standing", changed(A_RUN, status="L")),
    "a run that ends for a resume, of a workflow that has halted": (
        "standing",
        all_of(changed(A_RUN, status="C"), changed(A_WORKFLOW, status="H")),
    ),
    # A DAG
    "no DAG": ("dag-missing", gone(Dag.key(FREE_DAG))),
    "a complete DAG without edges": ("dag-edges", gone(Edge.key(DAG, NODE))),
    "a part is gone": ("edge-parts", gone(EdgePart.key(FREE_DAG, FREE_NODE, "UP", 0))),
    "a count too many": ("edge-parts", changed(EDGE, upstream_in_parts=301)),
    "an edge in another partition": ("edge-shard", copied(EDGE, EDGE._replace(pk=Edge.partition(FREE_DAG, 0)))),
    "a node out of range": ("id-out-of-range", copied(EDGE, EDGE._replace(sk=f"EDGE#{2**63}"))),
    "other arguments of nodes": ("node-args", added(OF_NODES, args={"B": "b3RoZXI="})),
    # Clusters
    "resources of no queue": (
        "queue-missing",
        added(Resources.key(1), queue_id={"N": "77"}, requested_resources={"S": "{}"}),
    ),
    "clusters of no form": ("malformed-item", clusters(4)),
    "a cluster with another one's id": ("clusters", clusters(cluster(4, "a"), cluster(4, "b", (5, "q", "{}")))),
    "a cluster with a built-in one's name": ("clusters", clusters(cluster(4, "dummy"))),
    "a queue with a built-in one's id": ("clusters", clusters(cluster(4, "a", (3, "q", "{}")))),
    "two queues of one name": ("clusters", clusters(cluster(4, "a", (4, "q", "{}"), (5, "q", "{}")))),
    "an id below those of clusters": ("clusters", clusters(cluster(0, "a"))),
    "limits that no client reads": ("clusters", clusters(cluster(4, "a", (4, "q", "{1: exit()}")))),
    "connection parameters that are no object": ("clusters", clusters(cluster(4, "a", parameters="[]"))),
    # Tools and task templates
    "no lookup of a tool": ("lookup", gone(NAMED)),
    "a lookup of no tool": ("lookup", changed(NAMED, id=77)),
    "a lookup of another tool": ("lookup", changed(NAMED, id=2)),
    "a lookup by a name that no tool has": ("lookup", copied(NAMED, ToolLookup.key("c"))),
    "no tool": ("lookup", gone(Tool.key(1))),
    "a version of no tool": ("tool-version", gone(Tool.key(1))),
    "a tool without a version": ("tool-version", gone(VersionOfTool.key(2, 5))),
    "a version that its tool does not list": ("tool-version", gone(VersionOfTool.key(1, 3))),
    "a version that another tool lists": ("tool-version", changed(ToolVersion.key(3), tool_id=2)),
    "a listed version that is not there": ("tool-version", gone(ToolVersion.key(3))),
    "no lookup of a template": ("lookup", gone(TEMPLATE)),
    "a lookup of no template": ("lookup", gone(TaskTemplate.key(7))),
    "a lookup of another template": ("lookup", changed(TEMPLATE, id=7)),
    "a lookup by a name that no template has": ("lookup", copied(TEMPLATE, TemplateLookup.key(4, "u"))),
    "a lookup of another tool version's": ("lookup", copied(TEMPLATE, TemplateLookup.key(5, "t"))),
    "a template of no tool version": ("task-template", gone(ToolVersion.key(4))),
    "a version of no template": ("task-template", gone(TaskTemplate.key(6))),
    "a version under the key of another": ("lookup", copied(VERSION, TemplateVersion.key(6, "run {n}", "6"))),
    "a version without a list": ("malformed-item", changed(VERSION, op_args=None)),
    "a tool id out of range": ("id-out-of-range", changed(ToolVersion.key(3), tool_id=2**53)),
    # Counters
    "no counter": ("counter", gone(Counter.key("workflow_run"))),
    **{f"the counter of {kind} behind": ("counter", one_behind(kind)) for kind in COUNTED},
}


@pytest.mark.parametrize(("check", "tear"), TEARS.values(), ids=TEARS)
def test_what_is_torn_is_named(check: str, tear: Tear) -> None:
    findings = check_table(torn(tear))
    assert check in {finding.check for finding in findings}, findings


IN_BETWEEN: Final[dict[str, Tear]] = {
    "nothing": all_of(),
    "a run that looks after earlier ones": changed(A_RUN, attention="J#", workflow_run_id=RUN),
    "one that will": changed(A_RUN, attention="J#00000000001500", workflow_run_id=RUN),
    "ids that were noted, and not counted when the call died": copied(RANGE, TaskRange.key(WORKFLOW, TASK - 9)),
    "more tasks counted than are there": changed(A_WORKFLOW, num_tasks=9),
    "a range of no array": changed(RANGE, arrays=None),
    "a task that was bound again in another array": all_of(
        changed(A_TASK, spec_version=2), changed(RANGE, arrays="[[77, 1]]")
    ),
    "a task of an earlier version, without a lookup": all_of(changed(A_TASK, bound_as=None), gone(LOOKUP)),
    "a task that expires, whose lookup has": all_of(changed(A_TASK, expires_at=2_000_000_000), gone(LOOKUP)),
}


@pytest.mark.parametrize("tear", IN_BETWEEN.values(), ids=IN_BETWEEN)
def test_what_is_in_between_is_clean(tear: Tear) -> None:
    assert check_table(torn(tear)) == []


def steps(client: Client, ends: str) -> Iterator[None]:
    """The life of a workflow, step by step."""
    known = client.bind_workflow()
    yield
    client.bind_task(known, complete=False)
    yield
    client.bind_task(known, complete=True, name="again")
    run = client.link(known["workflow"])
    for status in ("B", "I", "O", "R", *ends):
        yield
        client.move(run, status)
    yield


@pytest.mark.parametrize("ends", ["D", "E", "S", "C", "H", "CT", "HT"])
def test_a_life_is_clean_at_each_step(ends: str) -> None:
    with in_memory() as memory:
        for _ in steps(Client(Player()), ends):
            assert check_table(memory.items) == []


@pytest.mark.parametrize("edges", [True, False], ids=["", "without edges"])
def test_a_dag_and_a_run_that_could_not_bind_its_tasks_are_clean(*, edges: bool) -> None:
    with in_memory() as memory:
        client = Client(Player())
        known = client.bind_workflow(edges=edges)
        client.bind_task(known, complete=True)
        client.move(client.link(known["workflow"]), "A")
        client.move(client.link(known["workflow"]), "B")
        assert check_table(memory.items) == []


def test_a_task_that_is_bound_while_the_table_is_read_needs_no_lookup_yet() -> None:
    """The scan saw the place of the lookup before it was there, and the task after."""
    seen, reads = Seen(), InMemory(torn(gone(LOOKUP)))
    assert {finding.check for finding in audit(reads, seen)} == {"lookup"}
    assert list(tasks.check(seen, reads, TASK - 1)) == []
    assert list(tasks.check(seen, InMemory(whole()), TASK)) == []
