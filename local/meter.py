"""Count the API's requests, its requests to DynamoDB, and the capacity units that AWS would bill for them.

An engine reports the units of writes that succeed. It reports none for other requests, or flat ones. The meter computes
these by AWS's published rules: of reads, by the size of what is read; of writes that a condition rejects, one unit; of
cancelled transactions, whose units AWS does not document, two units an action. That is an upper bound, because AWS
bills a transaction that succeeds the same for items of up to 1 kB. Of a statement it reports the item's unit alone; one
that takes an item out of an index takes another.
"""

import math
import threading
from collections.abc import Callable, Iterable
from mmap import mmap
from typing import Any, Final

from local.item_size import item_size
from lockstep.dynamodb.client import connection
from lockstep.dynamodb.item import FeedIndex, Item, ListedIndex, RawItem, RunIndex

_BYTES_PER_READ_UNIT: Final = 4096
_ASKED: Final = "lockstep_asked"
_UNITS_OF_A_CANCELLED_ACTION: Final = 2
_UNITS_OF_A_FAILED_CONDITION: Final = 1


_REQUESTS, _DYNAMODB_REQUESTS, _WRITE_UNITS, _READ_UNITS = range(4)
_COUNTED: Final[dict[str, type[float]]] = {
    "requests": int,
    "dynamodb_requests": int,
    "write_units": float,
    "read_units": float,
}


def shared_counts(workers: int) -> "memoryview[float]":
    """Return a place in which processes that are forked later count together, a row each."""
    return memoryview(mmap(-1, workers * len(_COUNTED) * 8)).cast("d")


class Meter:
    """Counters that start at 0 when the meter is created and count once it is attached. Thread-safe.

    Meters of several processes that have the same shared_counts tell what all of them counted.
    """

    def __init__(self, shared: "memoryview[float] | None" = None, worker: int = 0) -> None:
        self._lock = threading.Lock()
        self._all = shared or shared_counts(1)
        self._own = self._all[worker * len(_COUNTED) : (worker + 1) * len(_COUNTED)]

    def attach(self) -> None:
        """Count the calls of the client that all functions share."""
        events = connection().client.meta.events
        events.register("before-parameter-build.dynamodb", _remember)
        events.register("after-call.dynamodb", self._count_call)

    def count_request(self) -> None:
        """Count a request that reaches a function."""
        with self._lock:
            self._own[_REQUESTS] += 1

    def usage(self) -> dict[str, float]:
        """Return the counts so far."""
        with self._lock:
            return {
                name: as_type(sum(self._all[kind :: len(_COUNTED)]))
                for kind, (name, as_type) in enumerate(_COUNTED.items())
            }

    def _count_call(self, model: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        kind = _READ_UNITS if model.name in READ_UNITS else _WRITE_UNITS
        units = READ_UNITS.get(model.name, written_units)(context[_ASKED], parsed)
        with self._lock:
            self._own[_DYNAMODB_REQUESTS] += 1
            self._own[kind] += units


def _remember(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    context[_ASKED] = params


def written_units(asked: dict[str, Any], parsed: dict[str, Any]) -> float:
    """Return the write units of a request: those that the engine reports, or those of a rejected one."""
    match parsed.get("Error", {}).get("Code"):
        case "TransactionCanceledException":
            return _UNITS_OF_A_CANCELLED_ACTION * len(asked["TransactItems"])
        case "ConditionalCheckFailedException":
            return _UNITS_OF_A_FAILED_CONDITION
    consumed = parsed.get("ConsumedCapacity") or []
    tables = consumed if isinstance(consumed, list) else [consumed]
    statements = zip(asked.get("Statements", ()), parsed.get("Responses", ()), strict=False)
    indexed = sum(_taken_out_of(statement["Statement"]) for statement, reply in statements if "Error" not in reply)
    return float(sum(table.get("CapacityUnits", 0.0) for table in tables)) + indexed


def _taken_out_of(statement: str) -> int:
    """The indexes that a statement takes its item out of."""
    return sum(f'REMOVE "{key}"' in statement for key in _SPARSE)


_SPARSE: Final = (RunIndex.attention.attr_name, FeedIndex.changed.attr_name, ListedIndex.listed_as.attr_name)
"""The attributes without which an item is not in an index."""


def query_units(asked: dict[str, Any], parsed: dict[str, Any]) -> float:
    """Return the read units of a Query: the sizes of what it read are added up before they are rounded."""
    return read_units(parsed.get("Items", []), consistent=bool(asked.get("ConsistentRead")))


def _batch_units(asked: dict[str, Any], parsed: dict[str, Any]) -> float:
    wanted = asked["RequestItems"][Item.Meta.table_name]
    found = parsed.get("Responses", {}).get(Item.Meta.table_name, [])
    left = parsed.get("UnprocessedKeys", {}).get(Item.Meta.table_name, {}).get("Keys", [])
    missing = len(wanted["Keys"]) - len(found) - len(left)
    consistent = bool(wanted.get("ConsistentRead"))
    return sum(read_units([item], consistent=consistent) for item in [*found, *[{}] * missing])


def _transaction_units(_: dict[str, Any], parsed: dict[str, Any]) -> float:
    return sum(2 * read_units([each.get("Item", {})], consistent=True) for each in parsed.get("Responses", []))


READ_UNITS: Final[dict[str, Callable[[dict[str, Any], dict[str, Any]], float]]] = {
    "BatchGetItem": _batch_units,
    "Query": query_units,
    "TransactGetItems": _transaction_units,
}
"""The read units of a request and its reply, by operation."""


def read_units(items: Iterable[RawItem], *, consistent: bool) -> float:
    """Return the read units of items that are read together, by their size; nothing counts as the smallest size.

    An eventually consistent read costs half.
    """
    whole = max(1, math.ceil(sum(map(item_size, items)) / _BYTES_PER_READ_UNIT))
    return whole if consistent else whole / 2
