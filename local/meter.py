"""Count the API's requests, its requests to DynamoDB, and the capacity units that DynamoDB reports for them.

The embedded engine reports no units for BatchGetItem; the meter computes them by AWS's published rule.
"""

import math
import threading
from typing import Any, Final

from lockstep.dynamodb.client import connection
from lockstep.dynamodb.item import Item

_READS: Final = {"BatchGetItem", "Query", "TransactGetItems"}
_BYTES_PER_READ_UNIT: Final = 4096
_ASKED: Final = "lockstep_asked"


class Meter:
    """Counters that start at 0 when the meter is created and count once it is attached. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = {"requests": 0, "dynamodb_requests": 0, "write_units": 0.0, "read_units": 0.0}

    def attach(self) -> None:
        """Count the calls of the client that all functions share."""
        events = connection().client.meta.events
        events.register("before-parameter-build.dynamodb.BatchGetItem", _remember)
        events.register("after-call.dynamodb", self._count_call)

    def count_request(self) -> None:
        """Count a request that reaches a function."""
        with self._lock:
            self._counts["requests"] += 1

    def usage(self) -> dict[str, float]:
        """Return the counts so far."""
        with self._lock:
            return dict(self._counts)

    def _count_call(self, model: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        kind = "read_units" if model.name in _READS else "write_units"
        units = _compute_units(context[_ASKED], parsed) if _ASKED in context else _units(parsed.get("ConsumedCapacity"))
        with self._lock:
            self._counts["dynamodb_requests"] += 1
            self._counts[kind] += units


def _units(consumed: dict[str, float] | list[dict[str, float]] | None) -> float:
    tables = consumed if isinstance(consumed, list) else [consumed or {}]
    return sum(table.get("CapacityUnits", 0.0) for table in tables)


def _remember(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    context[_ASKED] = params["RequestItems"][Item.Meta.table_name]


def _compute_units(asked: dict[str, Any], parsed: dict[str, Any]) -> float:
    found = parsed.get("Responses", {}).get(Item.Meta.table_name, [])
    items = [*found, *[None] * (len(asked["Keys"]) - len(found))]
    return sum(read_units(item, consistent=bool(asked.get("ConsistentRead"))) for item in items)


def read_units(item: dict[str, dict[str, Any]] | None, *, consistent: bool) -> float:
    """Return the read units for an item, by its size; a missing item counts as the smallest.

    An eventually consistent read costs half.
    """
    whole = math.ceil(_size(item) / _BYTES_PER_READ_UNIT) if item else 1
    return whole if consistent else whole / 2


def _size(item: dict[str, dict[str, Any]]) -> int:
    """Return the bytes of names and values, approximately: DynamoDB stores a number in fewer bytes than its digits."""
    return sum(len(name) + len(str(value).encode()) for name, typed in item.items() for value in typed.values())
