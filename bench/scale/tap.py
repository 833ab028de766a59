"""Listens to the functions' DynamoDB client: which partition each request took how many units of.

A request is made to tell the units of each index apart. Where it is about several items it tells their sum, which is
shared out evenly; that it is even is checked.

What the engine gives no account of, or a flat one, reads and a write whose condition failed, is reckoned by the rules:
AWS bills the latter as if it had landed on the table (the items here are below 1 KB).
"""

import re
import threading
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from bench.scale.costs import (
    ARRAY,
    BATCH,
    COUNTER,
    FEED_INDEX,
    LISTED_INDEX,
    LOOKUP,
    RESOURCES,
    RUN,
    RUN_INDEX,
    STEP_INDEX,
    TASK,
    WORKFLOW,
)
from local.meter import query_units, read_units
from lockstep.array.item import Array, ArrayLookup, Batch
from lockstep.dynamodb.client import connection
from lockstep.dynamodb.counters import Counter
from lockstep.dynamodb.item import ArrayStepIndex, FeedIndex, Item, ListedIndex, RawItem, RunIndex
from lockstep.task.bound_item import Resources, TaskLookup
from lockstep.task.item import Task
from lockstep.workflow.item import Workflow
from lockstep.workflow_run.item import WorkflowRun

_CONTEXT: Final = "lockstep_tap"
_PARTITION: Final = re.compile(r"#\d+ = (:\d+)")
_INDEXES: Final = {
    ArrayStepIndex.Meta.index_name: (STEP_INDEX, "array_step"),
    RunIndex.Meta.index_name: (RUN_INDEX, ""),
    FeedIndex.Meta.index_name: (FEED_INDEX, ""),
    ListedIndex.Meta.index_name: (LISTED_INDEX, ""),
}
"""Each index's role, and the attribute by which it is partitioned; none where a walk, of one run, has one partition."""
_ROLES: Final = {
    form.pk.partition("#")[0]: role
    for model, role in (
        (Task, TASK),
        (Array, ARRAY),
        (Batch, BATCH),
        (WorkflowRun, RUN),
        (Workflow, WORKFLOW),
        (Resources, RESOURCES),
        (Counter, COUNTER),
        (ArrayLookup, LOOKUP),
        (TaskLookup, LOOKUP),
    )
    for form in model.KEY_FORMS
}
"""The role of a partition, by what its key begins with."""

_FAILED: Final = {"ConditionalCheckFailedException": 1, "TransactionCanceledException": 2}
"""Write units for each item."""


class Taken(NamedTuple):
    """Units that a request took of one partition."""

    role: str
    partition: str
    written: float = 0
    read: float = 0


class Tap:
    """Listens while it is attached. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = 0
        self._taken: list[Taken] = []
        self._deaf = False

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Listen to the client that all functions share."""
        events = connection().client.meta.events
        events.register("before-parameter-build.dynamodb", self._before)
        events.register("after-call.dynamodb", self._after)
        try:
            yield
        finally:
            events.unregister("before-parameter-build.dynamodb", self._before)
            events.unregister("after-call.dynamodb", self._after)

    def drain(self) -> tuple[int, list[Taken]]:
        """Return how many requests came since the last time, and what they took."""
        with self._lock:
            requests, taken = self._requests, self._taken
            self._requests, self._taken = 0, []
        return requests, taken

    @contextmanager
    def ignoring(self) -> Iterator[None]:
        """Measure nothing meanwhile."""
        self._deaf = True
        try:
            yield
        finally:
            self._deaf = False

    def _before(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        if not self._deaf:
            params["ReturnConsumedCapacity"] = "INDEXES"
            context[_CONTEXT] = params

    def _after(self, model: Any, http_response: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        if _CONTEXT not in context:
            return
        params = context[_CONTEXT]
        if http_response.status_code >= 400:  # noqa: PLR2004  # HTTP: an error
            taken = _failed(params, parsed)
        elif model.name == "BatchGetItem":
            taken = _batch_read(params, parsed)
        elif model.name == "Query":
            taken = [_queried(params, parsed)]
        else:
            taken = _written(params, parsed)
        with self._lock:
            self._requests += 1
            self._taken += taken


def _written(params: dict[str, Any], parsed: dict[str, Any]) -> list[Taken]:
    consumed = parsed["ConsumedCapacity"]
    of_indexes: Tally[str] = Tally()
    of_table = 0.0
    for table in consumed if isinstance(consumed, list) else [consumed]:
        for name, arm in table.get("GlobalSecondaryIndexes", {}).items():
            of_indexes[name] += arm["CapacityUnits"]
        of_table += table["CapacityUnits"]
    items = _items(params)
    each = _evenly(of_table - sum(of_indexes.values()), len(items))
    taken = [Taken(_role(item), item["pk"]["S"], each) for item in items]
    for name, units in of_indexes.items():
        role, key = _INDEXES[name]
        entered = {_plain(item[key]) for item in items if key in item} or {role}
        taken += [Taken(role, partition, units / len(entered)) for partition in entered]
    return taken


def _items(params: dict[str, Any]) -> list[RawItem]:
    """Return what is put, whole, and the keys of what is updated."""
    if "TransactItems" in params:
        parts = [part for action in params["TransactItems"] for part in action.values()]
        return [part.get("Key") or part["Item"] for part in parts]
    if "Statements" in params:
        return [{"pk": pk, "sk": sk} for *_, pk, sk, _ in (each["Parameters"] for each in params["Statements"])]
    return [params.get("Key") or params["Item"]]


def _failed(params: dict[str, Any], parsed: dict[str, Any]) -> list[Taken]:
    code = parsed["Error"]["Code"]
    if code not in _FAILED:
        raise RuntimeError(f"the recording is of what usually happens, and this is not: {code}")
    return [Taken(_role(item), item["pk"]["S"], _FAILED[code]) for item in _items(params)]


def _batch_read(params: dict[str, Any], parsed: dict[str, Any]) -> list[Taken]:
    asked = params["RequestItems"][Item.Meta.table_name]
    found = {(item["pk"]["S"], item["sk"]["S"]): item for item in parsed["Responses"].get(Item.Meta.table_name, [])}
    consistent = bool(asked.get("ConsistentRead"))
    return [
        Taken(
            _role(key),
            key["pk"]["S"],
            read=read_units([found.get((key["pk"]["S"], key["sk"]["S"]), {})], consistent=consistent),
        )
        for key in asked["Keys"]
    ]


def _queried(params: dict[str, Any], parsed: dict[str, Any]) -> Taken:
    match = _PARTITION.search(params["KeyConditionExpression"])
    assert match
    key = params["ExpressionAttributeValues"][match[1]]
    role, attribute = _INDEXES[params["IndexName"]] if "IndexName" in params else (_role({"pk": key}), "pk")
    return Taken(role, _plain(key) if attribute else role, read=query_units(params, parsed))


def _role(key: RawItem) -> str:
    return _ROLES[key["pk"]["S"].split("#")[0]]


def _plain(value: dict[str, str]) -> str:
    [plain] = value.values()
    return plain


def _evenly(units: float, items: int) -> float:
    if units % items:
        raise RuntimeError(f"{units} units are not shared evenly by {items} items: they are not of one size")
    return units / items
