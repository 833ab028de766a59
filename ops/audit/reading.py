"""The way to the table: cheap scans, and second looks at what looked wrong in them. Nothing here can write.

A scan lags behind and tears what is written while it goes on. So it only raises suspicions; each is read again,
consistently, a pair in one TransactGetItems, and only what is wrong then is a finding.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from local.meter import read_units
from lockstep.dynamodb.client import KEYS_PER_READ, chunks
from lockstep.dynamodb.item import ArrayStepIndex, Key, RawItem, RunIndex
from lockstep.task.item import Spec, Task
from lockstep.task_instance.item import TaskInstance

ITEMS_PER_SCAN: Final = 1_000
"""Of a page, at most; a page takes 1 MB, which is 128 units of a scan that may lag behind."""
NEWEST_READ_TOGETHER: Final = KEYS_PER_READ - 2
"""Instances of a task in one TransactGetItems, beside the task and its specification."""
TRIES: Final = 10
"""How often a task is read that gets a new instance between one read and the next."""
LAG_SECONDS: Final = 2.0
"""Between two looks at an index that does not show what it must."""


class CannotReadError(Exception):
    """The table does not answer, or not to this caller; the message says why in one line."""


class Budget:
    """How many read units a second may be taken; None: as many as there are.

    Whoever has read waits until what he took is paid for. So in any t seconds at most rate * t units are taken, and
    one request's besides: 128 at most in a scan.
    """

    def __init__(
        self,
        rate: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self.pause = sleep
        """Wait so many seconds."""
        self._paid_at = clock()
        self.units = 0.0
        """Taken so far."""

    def wait(self) -> None:
        """Until everything that was taken is paid for."""
        ahead = self._paid_at - self._clock()
        if ahead > 0:
            self.pause(ahead)

    def pay(self, units: float) -> None:
        """So much was taken now."""
        self.units += units
        if self._rate:
            self._paid_at = max(self._paid_at, self._clock()) + units / self._rate


class Reader:
    """Reads of one table within a budget."""

    def __init__(self, client: Any, table: str, budget: Budget) -> None:
        self._client = client
        self._table = table
        self._budget = budget
        self.requests: Counter[str] = Counter()
        """By operation."""

    @property
    def units(self) -> float:
        """Read units so far."""
        return self._budget.units

    def pause(self) -> None:
        """Give an index the time to catch up."""
        self._budget.pause(LAG_SECONDS)

    def partitions(self) -> Iterator[tuple[str, list[RawItem]]]:
        """Everything in the table, by partition; a partition's items come one after another. It may lag behind."""
        yield from ((pk, list(items)) for pk, items in groupby(self._scan(), lambda raw: str(raw["pk"]["S"])))

    def index(self, name: str) -> Iterator[RawItem]:
        """Everything in an index."""
        return self._scan(IndexName=name)

    def task(self, pk: str) -> list[RawItem]:
        """A task's items as they stand: the task, its specification and its newest instances at one moment.

        Raises:
            CannotReadError: it does not answer, or the task is given instances faster than it can be read.
        """
        for _ in range(TRIES):
            found = {raw["sk"]["S"]: raw for raw in self.partition(pk)}
            number = _last_number(found)
            newest = range(max(1, number - NEWEST_READ_TOGETHER + 1), number + 1)
            at_once = [Task.SORT_KEY, Spec.SORT_KEY, *(TaskInstance.sort_key(each) for each in newest)]
            together = self._together([Key(pk, sk) for sk in at_once])
            if _last_number(together) == number:
                return list(({sk: raw for sk, raw in found.items() if sk not in at_once} | together).values())
        raise CannotReadError(f"{pk} is given instances faster than it can be read")

    def partition(self, pk: str) -> list[RawItem]:
        """The items of a partition, consistently, each for itself."""
        request = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": pk}}}
        return list(self._pages("query", {**request, "ConsistentRead": True}))

    def items(self, wanted: Iterable[Key]) -> dict[Key, RawItem]:
        """Those that exist, consistently, each for itself."""
        found: dict[Key, RawItem] = {}
        for chunk in chunks(dict.fromkeys(wanted), KEYS_PER_READ):
            left: list[Any] = [{name: {"S": value} for name, value in key._asdict().items()} for key in chunk]
            while left:
                request = {self._table: {"Keys": left, "ConsistentRead": True}}
                page = self._ask("batch_get_item", {"RequestItems": request}, len(left))
                found |= {Key(raw["pk"]["S"], raw["sk"]["S"]): raw for raw in page["Responses"].get(self._table, [])}
                left = page.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        return found

    def steps(self, array_step: str) -> list[RawItem]:
        """What the array-step index lists in one of its partitions."""
        return self._listed(ArrayStepIndex.Meta.index_name, "array_step = :hash", {":hash": {"S": array_step}})

    def attention(self, workflow_run_id: str, attention: str) -> list[RawItem]:
        """What the run index lists of a run under one key."""
        values = {":hash": {"N": workflow_run_id}, ":range": {"S": attention}}
        return self._listed(RunIndex.Meta.index_name, "workflow_run_id = :hash AND attention = :range", values)

    def _listed(self, index: str, condition: str, values: Mapping[str, dict[str, str]]) -> list[RawItem]:
        request = {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
        return list(self._pages("query", {**request, "IndexName": index}))

    def _scan(self, **request: Any) -> Iterator[RawItem]:
        return self._pages("scan", {**request, "Limit": ITEMS_PER_SCAN})

    def _pages(self, operation: str, request: dict[str, Any]) -> Iterator[RawItem]:
        start: dict[str, Any] = {}
        while True:
            page = self._ask(operation, request | start)
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _together(self, wanted: list[Key]) -> dict[str, RawItem]:
        """By their sort keys, all as they stood at one moment."""
        gets = [
            {"Get": {"TableName": self._table, "Key": {name: {"S": value} for name, value in key._asdict().items()}}}
            for key in wanted
        ]
        replies = self._ask("transact_get_items", {"TransactItems": gets})["Responses"]
        return {reply["Item"]["sk"]["S"]: reply["Item"] for reply in replies if reply.get("Item")}

    def _ask(self, operation: str, request: dict[str, Any], keys_asked: int = 0) -> Any:
        self._budget.wait()
        of_table = {} if operation in {"batch_get_item", "transact_get_items"} else {"TableName": self._table}
        try:
            page = self._retried(operation, {**of_table, **request, "ReturnConsumedCapacity": "TOTAL"})
        except (BotoCoreError, ClientError) as error:
            raise CannotReadError(f"{operation} of {self._table} failed: {error}") from error
        self.requests[operation] += 1
        self._budget.pay(_units(page) or _reckoned(page, self._table, keys_asked))
        return page

    def _retried(self, operation: str, request: dict[str, Any]) -> Any:
        """A transaction that collides with a write is read again."""
        for attempt in range(1, TRIES + 1):
            try:
                return getattr(self._client, operation)(**request)
            except self._client.exceptions.TransactionCanceledException:
                if attempt == TRIES:
                    raise
                self._budget.pause(attempt / TRIES)
        raise AssertionError("unreachable: the last try returns or raises")


def _last_number(items: Mapping[str, RawItem]) -> int:
    """Of the task's instances; 0 where the task is not there, or not readable."""
    return int(items.get(Task.SORT_KEY, {}).get("num_instances", {}).get("N", 0))


def _units(page: Mapping[str, Any]) -> float:
    consumed = page.get("ConsumedCapacity") or []
    tables = consumed if isinstance(consumed, list) else [consumed]
    return float(sum(table.get("CapacityUnits", 0.0) for table in tables))


def _reckoned(page: Mapping[str, Any], table: str, keys_asked: int) -> float:
    """By the published rule, where the engine gives no account: of BatchGetItem."""
    found = page.get("Responses", {}).get(table, []) if keys_asked else []
    return float(sum(read_units(item, consistent=True) for item in [*found, *[None] * (keys_asked - len(found))]))
