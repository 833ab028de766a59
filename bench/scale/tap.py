"""Listens to the functions' DynamoDB client: which partition each request took how many units of.

A request is made to tell the units of each index apart. Where it is about several items it tells their sum, which is
shared out evenly; that it is even is checked. What an item was and is, the indexes' keys above all, is read by a
client of its own, which is not listened to.

What the engine gives no account of, a batch read and a write whose condition failed, is reckoned by the published rule:
AWS bills the latter as if it had landed on the table (the items here are below 1 KB).
"""

import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from bench.scale.costs import ARRAY, BATCH, COUNTER, LOOKUP, RESOURCES, RUN, RUN_INDEX, STEP_INDEX, TASK
from local.engine import client
from local.meter import read_units
from lockstep.array.item import Array, ArrayLookup, Batch
from lockstep.dynamodb.client import connection
from lockstep.dynamodb.counters import Counter
from lockstep.dynamodb.item import ArrayStepIndex, Item, RawItem, RunIndex
from lockstep.task.item import Resources, Task, TaskLookup
from lockstep.workflow_run.item import WorkflowRun

_CONTEXT: Final = "lockstep_tap"
_PARTITION: Final = re.compile(r"#\d+ = (:\d+)")
_INDEXES: Final = {
    ArrayStepIndex.Meta.index_name: (STEP_INDEX, "array_step", "array_step_id"),
    RunIndex.Meta.index_name: (RUN_INDEX, "workflow_run_id", "attention"),
}
_ROLES: Final = {
    form.pk.partition("#")[0]: role
    for model, role in (
        (Task, TASK),
        (Array, ARRAY),
        (Batch, BATCH),
        (WorkflowRun, RUN),
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

Key = tuple[str, str]


class Taken(NamedTuple):
    """Units that a request took of one partition for one item."""

    role: str
    partition: str
    written: float
    read: float


class Tap:
    """Listens while it is attached. Safe for threads that write different items."""

    def __init__(self, endpoint: str) -> None:
        self._own = client(endpoint)
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
        """How many requests came since the last time, and what they took."""
        with self._lock:
            requests, taken = self._requests, self._taken
            self._requests, self._taken = 0, []
        return requests, taken

    @contextmanager
    def ignoring(self) -> Iterator[None]:
        """What comes meanwhile is not measured, and may write what it likes."""
        self._deaf = True
        try:
            yield
        finally:
            self._deaf = False

    def _before(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        if self._deaf:
            return
        params["ReturnConsumedCapacity"] = "INDEXES"
        written = _written(params)
        context[_CONTEXT] = params, {key: self._item(key) for key in written}

    def _after(self, model: Any, http_response: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        if _CONTEXT not in context:
            return
        params, before = context[_CONTEXT]
        if http_response.status_code >= 400:  # noqa: PLR2004  # HTTP: an error
            taken = _failed(parsed, before)
        elif model.name == "BatchGetItem":
            taken = _batch_read(params, parsed)
        elif model.name == "Query":
            taken = [_queried(params, parsed)]
        else:
            taken = self._write(parsed, before)
        with self._lock:
            self._requests += 1
            self._taken += taken

    def _write(self, parsed: dict[str, Any], before: dict[Key, RawItem]) -> list[Taken]:
        consumed = parsed["ConsumedCapacity"]
        tables = consumed if isinstance(consumed, list) else [consumed]
        of_indexes: dict[str, float] = {}
        for table in tables:
            for name, arm in table.get("GlobalSecondaryIndexes", {}).items():
                of_indexes[name] = of_indexes.get(name, 0) + arm["CapacityUnits"]
        of_table = sum(table["CapacityUnits"] for table in tables) - sum(of_indexes.values())
        each = _evenly(of_table, len(before))
        taken = [Taken(_ROLES[pk.split("#")[0]], pk, each, 0) for pk, _ in before]
        after = {key: self._item(key) for key in before}
        for name, units in of_indexes.items():
            touched = [
                after[key] or before[key] for key in before if _entry(name, before[key]) != _entry(name, after[key])
            ]
            share = _evenly(units, len(touched))
            role, hash_key, _ = _INDEXES[name]
            taken += [Taken(role, f"{name}:{_plain(item[hash_key])}", share, 0) for item in touched]
        return taken

    def _item(self, key: Key) -> RawItem:
        pk, sk = key
        found: RawItem = self._own.get_item(
            TableName=Item.Meta.table_name, Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True
        ).get("Item", {})
        return found


def _written(params: dict[str, Any]) -> list[Key]:
    if "TransactItems" in params:
        parts = [part for action in params["TransactItems"] for part in action.values()]
        return [_key(part.get("Key") or part["Item"]) for part in parts]
    if "Statements" in params:
        return [(pk["S"], sk["S"]) for _, pk, sk, _ in (statement["Parameters"] for statement in params["Statements"])]
    single = params.get("Key") or params.get("Item")
    return [_key(single)] if single else []


def _key(attributes: RawItem) -> Key:
    return attributes["pk"]["S"], attributes["sk"]["S"]


def _failed(parsed: dict[str, Any], before: Iterable[Key]) -> list[Taken]:
    code = parsed["Error"]["Code"]
    if code not in _FAILED:
        raise RuntimeError(f"the recording is of what usually happens, and this is not: {code}")
    return [Taken(_ROLES[pk.split("#")[0]], pk, _FAILED[code], 0) for pk, _ in before]


def _batch_read(params: dict[str, Any], parsed: dict[str, Any]) -> list[Taken]:
    table = Item.Meta.table_name
    asked = params["RequestItems"][table]
    found = {_key(item): item for item in parsed["Responses"].get(table, [])}
    consistent = bool(asked.get("ConsistentRead"))
    keys = [_key(key) for key in asked["Keys"]]
    return [
        Taken(_ROLES[key[0].split("#")[0]], key[0], 0, read_units(found.get(key), consistent=consistent))
        for key in keys
    ]


def _queried(params: dict[str, Any], parsed: dict[str, Any]) -> Taken:
    units = parsed["ConsumedCapacity"]["CapacityUnits"]
    match = _PARTITION.search(params["KeyConditionExpression"])
    assert match
    value = _plain(params["ExpressionAttributeValues"][match[1]])
    if name := params.get("IndexName"):
        return Taken(_INDEXES[name][0], f"{name}:{value}", 0, units)
    return Taken(_ROLES[value.split("#")[0]], value, 0, units)


def _entry(index: str, item: RawItem) -> tuple[str, str] | None:
    """An item's place in an index; None: it is not in it."""
    _, hash_key, range_key = _INDEXES[index]
    return (_plain(item[hash_key]), _plain(item[range_key])) if hash_key in item and range_key in item else None


def _plain(value: dict[str, str]) -> str:
    [plain] = value.values()
    return plain


def _evenly(units: float, items: int) -> float:
    if items == 0 or units % items:
        raise RuntimeError(f"{units} units are not shared evenly by {items} items: they are not of one size")
    return units / items
