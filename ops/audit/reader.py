"""Read a table within a budget: cheap scans, and consistent second looks at what they show wrong. Nothing here writes.

A scan lags, and tears what is written meanwhile. So it only raises suspicions; each is read again, consistently, a task
and its instances in one TransactGetItems, and only what is wrong then is reported.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from local.meter import read_units
from lockstep.dynamodb.item import ArrayStepIndex, FeedIndex, Item, Key, ListedIndex, RawItem, RunIndex
from lockstep.dynamodb.parallel import chunks
from lockstep.dynamodb.reads import KEYS_PER_READ
from lockstep.task.bound_item import Spec
from lockstep.task.item import Task
from lockstep.task_instance.item import TaskInstance
from ops.audit.invariants.finding import Finding
from ops.audit.invariants.parsing import Parsed, key_of, parse

M = TypeVar("M", bound=Item)

ITEMS_PER_SCAN: Final = 1_000
"""Items of a page, at most. A page takes 1 MB: 128 units of a scan that may lag."""
NEWEST_READ_TOGETHER: Final = KEYS_PER_READ - 2
"""Instances of a task in one TransactGetItems, besides the task and its specification."""
TRIES: Final = 10
"""How often an item is read that changes between one read and the next."""
LAG_SECONDS: Final = 2.0
"""Between two looks at an index that does not show what it must."""


class CannotReadError(Exception):
    """The table does not answer, or not to this caller; the message says why in one line."""


class Budget:
    """The read units that may be taken in a second; None: any number.

    Each request waits until the units of the earlier ones are paid for. So in any t seconds at most rate * t units are
    taken, plus those of one request: 128 at most in a scan.
    """

    def __init__(
        self,
        rate: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self.sleep = sleep
        self._paid_at = clock()
        self.units = 0.0
        """Units taken so far."""

    def wait(self) -> None:
        """Wait until all units are paid for."""
        ahead = self._paid_at - self._clock()
        if ahead > 0:
            self.sleep(ahead)

    def pay(self, units: float) -> None:
        """Count units that were taken now."""
        self.units += units
        if self._rate:
            self._paid_at = max(self._paid_at, self._clock()) + units / self._rate


Entry = tuple[str, str]
"""The keys under which an index lists an item."""


class Index(NamedTuple):
    """An index of the table."""

    name: str
    hash_key: str
    hash_type: str
    range_key: str
    range_type: str

    def entry(self, raw: RawItem) -> Entry:
        """The keys of an item that the index lists."""
        return raw[self.hash_key][self.hash_type], raw[self.range_key][self.range_type]

    def entry_of(self, raw: RawItem) -> Entry | None:
        """The keys under which the index must list an item, if any."""
        typed = self.hash_type in raw.get(self.hash_key, {}) and self.range_type in raw.get(self.range_key, {})
        return self.entry(raw) if typed else None


STEP_INDEX: Final = Index(ArrayStepIndex.Meta.index_name, "array_step", "S", "array_step_id", "N")
RUN_INDEX: Final = Index(RunIndex.Meta.index_name, "workflow_run_id", "N", "attention", "S")
FEED_INDEX: Final = Index(FeedIndex.Meta.index_name, "feed", "S", "changed", "S")
LISTED_INDEX: Final = Index(ListedIndex.Meta.index_name, "listed_in", "S", "listed_as", "S")


class Reads(Protocol):
    """The reads that the checks need."""

    def parse(self, raw: RawItem) -> Parsed | Finding:
        """Parse an item that was read."""

    def pause(self) -> None:
        """Give an index time to catch up."""

    def partitions(self) -> Iterator[tuple[str, list[RawItem]]]:
        """Scan the table, a partition at a time. The reads may lag."""

    def task(self, pk: str) -> list[RawItem]:
        """Read a task's items: the task, its specification and its newest instances as of one moment."""

    def partition(self, pk: str) -> list[RawItem]:
        """Read the items of a partition, consistently, but not as of one moment."""

    def items(self, wanted: Iterable[Key]) -> dict[Key, RawItem]:
        """Read the items with these keys that exist, consistently, but not as of one moment."""

    def index(self, index: Index) -> Iterator[RawItem]:
        """Scan an index."""

    def listed(self, index: Index, hash_value: str, range_value: str | None = None) -> list[RawItem]:
        """Read a partition of an index, or what it lists under one entry."""


class Reader:
    """Reads of one table within a budget.

    All raise CannotReadError where the table cannot be read; `task` also where the task is given instances faster than
    it can be read.
    """

    def __init__(self, client: Any, table: str, budget: Budget) -> None:
        self._client = client
        self._table = table
        self._budget = budget
        self.requests: Counter[str] = Counter()
        """By operation."""

    def parse(self, raw: RawItem) -> Parsed | Finding:
        return parse(raw)

    @property
    def units(self) -> float:
        """Read units so far."""
        return self._budget.units

    def pause(self) -> None:
        self._budget.sleep(LAG_SECONDS)

    def partitions(self) -> Iterator[tuple[str, list[RawItem]]]:
        scanned = groupby(self._pages("scan", Limit=ITEMS_PER_SCAN), lambda raw: str(raw["pk"]["S"]))
        return ((pk, list(items)) for pk, items in scanned)

    def index(self, index: Index) -> Iterator[RawItem]:
        return self._pages("scan", IndexName=index.name, Limit=ITEMS_PER_SCAN)

    def task(self, pk: str) -> list[RawItem]:
        for _ in range(TRIES):
            found = {key_of(raw): raw for raw in self.partition(pk)}
            number = _last_number(pk, found)
            newest = range(max(1, number - NEWEST_READ_TOGETHER + 1), number + 1)
            at_once = [Key(pk, sk) for sk in (Task.SORT_KEY, Spec.SORT_KEY, *map(TaskInstance.sort_key, newest))]
            together = self._together(at_once)
            if _last_number(pk, together) == number:
                return list(({key: raw for key, raw in found.items() if key not in at_once} | together).values())
        raise CannotReadError(f"{pk} is given instances faster than it can be read")

    def partition(self, pk: str) -> list[RawItem]:
        return list(self._query("pk = :pk", {":pk": {"S": pk}}, ConsistentRead=True))

    def items(self, wanted: Iterable[Key]) -> dict[Key, RawItem]:
        found: dict[Key, RawItem] = {}
        for chunk in chunks(dict.fromkeys(wanted), KEYS_PER_READ):
            left: list[Any] = [_typed(key) for key in chunk]
            while left:
                request = {self._table: {"Keys": left, "ConsistentRead": True}}
                page = self._ask("batch_get_item", {"RequestItems": request}, len(left))
                found |= {key_of(raw): raw for raw in page["Responses"].get(self._table, [])}
                left = page.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        return found

    def listed(self, index: Index, hash_value: str, range_value: str | None = None) -> list[RawItem]:
        condition, values = f"{index.hash_key} = :hash", {":hash": {index.hash_type: hash_value}}
        if range_value is not None:
            condition += f" AND {index.range_key} = :range"
            values[":range"] = {index.range_type: range_value}
        return list(self._query(condition, values, IndexName=index.name))

    def _query(self, condition: str, values: Mapping[str, dict[str, str]], **how: Any) -> Iterator[RawItem]:
        return self._pages("query", KeyConditionExpression=condition, ExpressionAttributeValues=values, **how)

    def _pages(self, operation: str, **request: Any) -> Iterator[RawItem]:
        start: dict[str, Any] = {"TableName": self._table}
        while True:
            page = self._ask(operation, request | start)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _together(self, wanted: list[Key]) -> dict[Key, RawItem]:
        """The items with these keys that exist, as of one moment."""
        gets = [{"Get": {"TableName": self._table, "Key": _typed(key)}} for key in wanted]
        replies = self._ask("transact_get_items", {"TransactItems": gets})["Responses"]
        return {key_of(reply["Item"]): reply["Item"] for reply in replies if reply.get("Item")}

    def _ask(self, operation: str, request: dict[str, Any], keys_asked: int = 0) -> Any:
        self._budget.wait()
        try:
            page = self._send(operation, {**request, "ReturnConsumedCapacity": "TOTAL"})
        except (BotoCoreError, ClientError) as error:
            raise CannotReadError(f"{operation} of {self._table} failed: {error}") from error
        self.requests[operation] += 1
        self._budget.pay(_units(page) or _computed_units(page, self._table, keys_asked))
        return page

    def _send(self, operation: str, request: dict[str, Any]) -> Any:
        """Send a request, and again if it is a transaction that collides with a write."""
        for attempt in range(1, TRIES):
            try:
                return getattr(self._client, operation)(**request)
            except self._client.exceptions.TransactionCanceledException:
                self._budget.sleep(attempt / TRIES)
        return getattr(self._client, operation)(**request)


def _typed(key: Key) -> dict[str, dict[str, str]]:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def _last_number(pk: str, items: Mapping[Key, RawItem]) -> int:
    """The task's number of instances; 0 where the task does not exist or is malformed."""
    return int(items.get(Key(pk, Task.SORT_KEY), {}).get("num_instances", {}).get("N", 0))


def _units(page: Mapping[str, Any]) -> float:
    consumed = page.get("ConsumedCapacity") or []
    tables = consumed if isinstance(consumed, list) else [consumed]
    return float(sum(table.get("CapacityUnits", 0.0) for table in tables))


def _computed_units(page: Mapping[str, Any], table: str, keys_asked: int) -> float:
    """The units of a BatchGetItem by the published rule, for an engine that does not report them."""
    found = page.get("Responses", {}).get(table, []) if keys_asked else []
    return float(sum(read_units([item], consistent=True) for item in [*found, *[{}] * (keys_asked - len(found))]))


def read_models(model: type[M], keys: Iterable[Key], reads: Reads) -> dict[Key, M]:
    """Read items of a model. One that is malformed is a finding already."""
    parsed = {key: reads.parse(raw) for key, raw in reads.items(keys).items()}
    return {key: each.item for key, each in parsed.items() if isinstance(each, Parsed) and isinstance(each.item, model)}


def read_model(model: type[M], key: Key, reads: Reads) -> M | None:
    """Read one item, as read_models."""
    return read_models(model, [key], reads).get(key)
