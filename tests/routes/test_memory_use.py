"""What a call holds in memory at its largest, beside what a function holds that waits: docs/sizes.md states it.

A table in memory answers, as the bytes that DynamoDB would send; what Python allocates for the call is counted.
"""

import gc
import json
import tracemalloc
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import pytest

from local import gateway
from local.template import Template
from lockstep.array.item import Array, Batch, NextCheck, batch_listed_as
from lockstep.array.run_index import MOST_INDEXED
from lockstep.dag.edges import MOST_INLINE
from lockstep.dag.item import IDS_PER_PART, Dag, Edge, EdgePart, pack
from lockstep.dynamodb.item import Item, Key
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus, WorkflowStatus
from lockstep.http.fields import MAX_ATTRIBUTES_PER_CALL, MAX_SETS_PER_CALL, MAX_TASKS_PER_CALL
from lockstep.http.request import MAX_BODY_BYTES
from lockstep.routes import ROUTES
from lockstep.task.bound_item import Resources, Spec
from lockstep.task.item import Task, changed_key, feed_key
from lockstep.task_instance.item import (
    MAX_ERROR_BYTES,
    MAX_INLINE_ERROR_BYTES,
    ErrorEntry,
    ErrorText,
    InstanceKey,
    TaskInstance,
    attention_flag,
)
from lockstep.task_instance.read import LISTED_BYTES, READ_TEXT_BYTES
from lockstep.task_template.item import TaskTemplate, TemplateVersion
from lockstep.workflow.cursor import GROUP
from lockstep.workflow.item import RunOfWorkflow, TaskRange, Workflow
from lockstep.workflow.progress import MOST_TOLD
from lockstep.workflow.read import MOST_RUNS
from lockstep.workflow_run import handover
from tests.conformance.recording import Player
from tests.support import items
from tests.support.items import NUMBER
from tests.support.largest import GROWS
from tests.support.memory import VirtualTime, running_on
from tests.support.memory.boundary import Memory, answered_by
from tests.support.memory.operations import Reply
from tests.support.memory_use import FUNCTION_MB, MOST_MB, USES

FIRST: Final = 1_000_000_001
"""The id of the first task."""


class Stored:
    """A table in memory, that takes time."""

    def __init__(self, patched: pytest.MonkeyPatch) -> None:
        self.patched = patched
        self.memory = Memory()
        self.clock = VirtualTime()
        self.seconds = 0.0

    def answer(self, operation: str, request: dict[str, Any]) -> Reply:
        """Answer by bytes."""
        self.clock.sleep(self.seconds)
        reply = self.memory.answer(operation, request)
        return reply._replace(raw=json.dumps(reply.body).encode())

    def put(self, *put: Item) -> None:
        self.add(item.serialize() for item in put)

    def copies(self, item: Item, keys: Iterable[Key], **attributes: Callable[[int], str | int]) -> None:
        """Store an item under many keys, with attributes that differ."""
        raw = item.serialize()
        self.add(
            {**raw, "pk": {"S": key.pk}, "sk": {"S": key.sk}}
            | {name: _typed(value(number)) for name, value in attributes.items()}
            for number, key in enumerate(keys)
        )

    def add(self, raws: Iterable[dict[str, Any]]) -> None:
        stored = {(raw["pk"]["S"], raw["sk"]["S"]): dict(map(_as_sent, raw.items())) for raw in raws}
        self.memory.table = self.memory.table._replace(items={**self.memory.table.items, **stored})


def _as_sent(attribute: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    name, value = attribute
    return name, {"B": b64encode(value["B"]).decode()} if "B" in value else value


def _typed(value: str | int) -> dict[str, str]:
    return {"S": value} if isinstance(value, str) else {"N": str(value)}


Call = tuple[str, str, Any]
"""The method, the path below the API's, and the body or the query."""


def error_log(stored: Stored) -> Call:
    """As many entries as are read, and long texts beside."""
    key = InstanceKey(FIRST, 1)
    stored.put(an_instance(key))
    entry = ErrorEntry(*ErrorEntry.key(key, "0"), error_time=1.0, description=GROWS * MAX_INLINE_ERROR_BYTES)
    entries = range(LISTED_BYTES // MAX_INLINE_ERROR_BYTES)
    stored.copies(entry, (ErrorEntry.key(key, f"1{number:012}") for number in entries))
    texts = [f"0{number:012}" for number in range(READ_TEXT_BYTES // MAX_ERROR_BYTES)]
    long = ErrorEntry(*ErrorEntry.key(key, "0"), error_time=2.0, text_bytes=MAX_ERROR_BYTES)
    stored.copies(long, (ErrorEntry.key(key, digest) for digest in texts))
    text = ErrorText(*ErrorText.key(key, "0"), description=GROWS * MAX_ERROR_BYTES)
    stored.copies(text, (ErrorText.key(key, digest) for digest in texts))
    return "GET", f"/task_instance/{key.id}/task_instance_error_log", None


def template_versions(stored: Stored) -> Call:
    """As many versions as are read, of 390 kB."""
    stored.put(TaskTemplate(*TaskTemplate.key(NUMBER), tool_version_id=1, name="t"))
    version = TemplateVersion(
        *TemplateVersion.key(NUMBER, "", ""),
        id=1,
        command_template=GROWS * 385_000,
        arg_mapping_hash="1",
        node_args=[],
        task_args=[],
        op_args=[],
    )
    stored.copies(version, (TemplateVersion.key(NUMBER, str(number), "1") for number in range(30)))
    return "GET", f"/task_template/{NUMBER}/versions", None


def an_error(stored: Stored) -> Call:
    """The largest body, which is an error's text."""
    stored.put(an_instance(InstanceKey(FIRST, 1), status=TaskInstanceStatus.RUNNING), a_task(status=TaskStatus.RUNNING))
    body = {
        "error_state": "E",
        "error_description": "x" * (MAX_BODY_BYTES - 200),
        "distributor_id": "1",
        "nodename": "n",
    }
    return "POST", f"/task_instance/{FIRST * 1000 + 1}/log_error_worker_node", body


def a_page_to_resume(stored: Stored) -> Call:
    """Long specifications, each with its own set of resources."""
    number = 1_000
    ids = range(FIRST, FIRST + number)
    spec = Spec(*Spec.key(1), **specification(command=GROWS * 300_000, scales=10_000))
    stored.copies(a_task(), map(Task.key, ids))
    stored.copies(spec, map(Spec.key, ids), task_resources_id=lambda each: each + 1)
    resources = Resources(*Resources.key(1), queue_id=1, requested_resources={"a": GROWS * 9_900})
    stored.copies(resources, (Resources.key(each + 1) for each in range(number)))
    stored.put(TaskRange(*TaskRange.key(NUMBER, FIRST), size=number, arrays=[[NUMBER, number]]))
    stored.put(a_workflow(num_tasks=number), items.array(num_batches=2))
    return "GET", f"/workflow/get_tasks/{NUMBER}", {"max_task_id": "0", "chunk_size": str(number)}


def more_resources(stored: Stored) -> Call:
    """A part of a group of tasks that failed, each with its own set."""
    number = GROUP // USES["increase_resources"].times
    a_page_to_resume(stored)
    ids = range(FIRST, FIRST + number)
    stored.copies(a_task(status=TaskStatus.ERROR_FATAL), map(Task.key, ids))
    attempt = an_instance(InstanceKey(1, 1), status=TaskInstanceStatus.RESOURCE_ERROR)
    stored.copies(attempt, (TaskInstance.key(InstanceKey(each, 1)) for each in ids))
    stored.put(TaskRange(*TaskRange.key(NUMBER, FIRST), size=number, arrays=[[NUMBER, number]]))
    return "POST", f"/workflow/{NUMBER}/increase_resources", {}


def edges_over_long_lists(stored: Stored) -> Call:
    """Short lists, where long ones are stored under the same keys."""
    number = 1_001
    stored.put(Dag(*Dag.key(NUMBER), made_at=1.0))
    nodes = range(1, number + 1)
    long = EdgePart(*EdgePart.key(NUMBER, 1, "DOWN", 0), node_ids=pack(range(IDS_PER_PART)))
    stored.copies(long, (EdgePart.key(NUMBER, node, "DOWN", 0) for node in nodes[-200:]))
    below = list(range(1, MOST_INLINE + 2))
    edges = [{"node_id": node, "upstream_node_ids": None, "downstream_node_ids": below} for node in nodes]
    stored.seconds = 1.0
    return "POST", f"/dag/{NUMBER}/edges", {"edges_to_add": edges, "mark_created": True}


def nodes_below(stored: Stored) -> Call:
    """A part of the tasks that a call may name, of nodes with as many neighbours as lie beside them."""
    number = MAX_TASKS_PER_CALL // USES["get_downstream_tasks"].times
    ids = range(FIRST, FIRST + number)
    stored.copies(a_task(node_id=1), map(Task.key, ids), node_id=lambda each: each + 1)
    edge = Edge(*Edge.key(NUMBER, 1), upstream=pack(range(MOST_INLINE)), downstream=pack(range(26)))
    stored.copies(edge, (Edge.key(NUMBER, each + 1) for each in range(number)))
    return "POST", "/task/get_downstream_tasks", {"task_ids": list(ids), "dag_id": NUMBER}


def changes(stored: Stored) -> Call:
    """A part of the changes that a reply tells."""
    number = MOST_TOLD // USES["task_status_updates"].times
    parts = 16
    changed = a_task(status=TaskStatus.DONE, changed=changed_key(1.0, TaskStatus.DONE), feed="")
    keys = (Task.key(FIRST + each) for each in range(number))
    stored.copies(changed, keys, feed=lambda each: feed_key(NUMBER, each % parts * 10_000))
    stored.put(a_workflow(num_tasks=160_000))
    return "POST", f"/workflow/{NUMBER}/task_status_updates", {"last_sync": None}


def a_poll(stored: Stored) -> Call:
    """As many ids as a call lists, and as many instances as a poll reads."""
    number = 10_000
    instance = an_instance(InstanceKey(1, 1), status=TaskInstanceStatus.DONE)
    keys = [InstanceKey(FIRST + each, 1) for each in range(number)]
    stored.copies(instance, map(TaskInstance.key, keys))
    others = [InstanceKey(8_000_000_000_000 + each, 1).id for each in range(230_000)]
    listed = {"task_instance_ids": [*(key.id for key in keys), *others], "status": "T"}
    return "POST", f"/workflow_run/{NUMBER}/sync_status", listed


def many_in_kill_self(stored: Stored) -> Call:
    """A part of those that are listed of the runs of a workflow, and of those that are read at once."""
    runs = MOST_RUNS
    number = runs * MOST_INDEXED // USES["is_resumable"].times
    stored.put(a_workflow())
    stored.put(*(RunOfWorkflow(*RunOfWorkflow.key(NUMBER, run)) for run in range(1, runs + 1)))
    flag = attention_flag(TaskInstanceStatus.KILL_SELF)
    told = an_instance(InstanceKey(1, 1), status=TaskInstanceStatus.KILL_SELF, attention=flag)
    keys = (TaskInstance.key(InstanceKey(FIRST + each, 1)) for each in range(number))
    stored.copies(told, keys, workflow_run_id=lambda each: each % runs + 1)
    stored.patched.setattr(handover, "READ_AT_ONCE", handover.READ_AT_ONCE // USES["is_resumable"].times)
    stored.seconds = 0.05
    return "GET", f"/workflow/{NUMBER}/is_resumable", None


def large_batches(stored: Stored, status: TaskInstanceStatus, number: int) -> None:
    """Batches as large as an item holds, of a seed."""
    size = 390_000
    due = str(NextCheck(1.0, waiting=False))
    batch = items.batch(NUMBER, 1, size, seen=status * size, attention=due, noted_at=1.0)
    keys = (Batch.key(NUMBER, each + 1) for each in range(number))
    stored.copies(batch, keys, listed_as=lambda each: batch_listed_as(NUMBER, each + 1))


def a_sweep(stored: Stored) -> Call:
    """Batches as large as an item holds, all of them due."""
    large_batches(stored, TaskInstanceStatus.RUNNING, 100)
    stored.seconds = 0.1
    return "POST", f"/workflow_run/{NUMBER}/set_status_for_triaging", {}


def tasks_of_an_array(stored: Stored) -> Call:
    """A batch as large as an item holds, all of it under way."""
    large_batches(stored, TaskInstanceStatus.RUNNING, 2)
    stored.put(items.array(num_batches=2))
    return "GET", f"/arrays/{NUMBER}/tasks", {"status": "R", "limit": "100"}


def tasks_to_bind(stored: Stored) -> Call:
    """As many tasks as a call takes, of arrays and sets of resources as large as they may be; none is bound yet."""
    number, sets = MAX_TASKS_PER_CALL, MAX_SETS_PER_CALL
    stored.copies(items.array(name=GROWS * 1_000), (Array.key(each + 1) for each in range(number)))
    resources = Resources(*Resources.key(1), queue_id=1, requested_resources={"a": GROWS * 9_900})
    stored.copies(resources, (Resources.key(each + 1) for each in range(sets)))
    tasks = {
        f"n{each}": [each + 1, "h", each + 1, each % sets + 1, "t", "c" * 350, 3, False, {}, []]
        for each in range(number)
    }
    stored.seconds = 0.045
    return "PUT", "/task/bind_tasks_no_args", {"workflow_id": NUMBER, "tasks": tasks}


def attributes(stored: Stored) -> Call:
    """A part of the attributes that a call notes, 5 of a task."""
    each = 5
    number = MAX_ATTRIBUTES_PER_CALL // USES["bind_task_attributes"].times // each
    ids = range(FIRST, FIRST + number)
    stored.copies(a_task(), map(Task.key, ids))
    stored.seconds = 0.3
    noted = {task_id: {f"a{name}": "x" * 70 for name in range(each)} for task_id in ids}
    return "PUT", "/task/bind_task_attributes", {"task_attributes": noted}


def an_instance(key: InstanceKey, status: str = TaskInstanceStatus.TRIAGING, **more: Any) -> TaskInstance:
    names = {"queued_at": 1.0, "distributor_id": "d" * 100, "nodename": "n" * 255}
    return items.instance(key, status, **(names | more))


def a_task(status: str = TaskStatus.REGISTERING, **more: Any) -> Task:
    return items.task(FIRST, status, short_name="n" * 150, **more)


def specification(command: str, scales: int) -> dict[str, Any]:
    return {
        "name": "n",
        "command": command,
        "task_resources_id": 1,
        "resource_scales": str({"a" * (scales - 20): 0.5}),
        "fallback_queues": str(["q" * (scales - 20)]),
        "spec_version": 1,
        "array_id": NUMBER,
        "workflow_id": NUMBER,
    }


def a_workflow(**more: Any) -> Workflow:
    return items.workflow(NUMBER, WorkflowStatus.RUNNING, **more)


LARGEST: Final[dict[str, Callable[[Stored], Call]]] = {
    "task_instance_error_log": error_log,
    "get_task_template_versions": template_versions,
    "log_error_worker_node": an_error,
    "get_tasks": a_page_to_resume,
    "increase_resources": more_resources,
    "bind_tasks_no_args": tasks_to_bind,
    "bind_task_attributes": attributes,
    "add_edges": edges_over_long_lists,
    "get_downstream_tasks": nodes_below,
    "task_status_updates": changes,
    "sync_status": a_poll,
    "is_resumable": many_in_kill_self,
    "set_status_for_triaging": a_sweep,
    "list_array_tasks": tasks_of_an_array,
}
ANSWERS: Final = {"get_tasks": 422, "add_edges": 503, "bind_tasks_no_args": 503, "bind_task_attributes": 503}
"""But for 200."""


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stored]:
    made = Stored(monkeypatch)
    with running_on(made.clock), answered_by(made.answer):
        yield made


@pytest.mark.parametrize("name", USES)
def test_the_largest_call_holds_no_more_than_is_stated(stored: Stored, name: str) -> None:
    method, path, given = LARGEST[name](stored)
    query = given if method == "GET" and given else {}
    body = json.dumps(given) if method != "GET" else None
    gateway.load_handler(name)
    gc.collect()
    tracemalloc.start()
    try:
        status, reply = Player().send(method, f"/api/v3{path}", body, **query)
        held = tracemalloc.get_traced_memory()[1] * USES[name].times / 1e6
    finally:
        tracemalloc.stop()
    assert status == ANSWERS.get(name, 200), reply
    assert USES[name].megabytes / 3 < held <= USES[name].megabytes, f"docs/sizes.md states {USES[name].megabytes} MB"


def test_what_is_stated_fits_each_function_with_room() -> None:
    functions = {function.name: function.memory for function in Template().functions}
    for name, use in USES.items():
        assert use.megabytes + FUNCTION_MB <= min(MOST_MB, functions[name]), name


def test_each_route_is_measured_or_holds_no_more_than_one_that_is() -> None:
    named = [*USES, *(name for use in USES.values() for name in use.no_more)]
    assert sorted(named) == sorted(route.name for route in ROUTES)
    assert LARGEST.keys() == USES.keys()
