"""How many requests came, and what they took of DynamoDB: requests and capacity units, by its own account."""

import threading
from typing import Any

from lockstep.table import connection

_READS = {"BatchGetItem", "GetItem", "Query"}


class Meter:
    """Counts from the moment it is attached. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = {"requests": 0, "dynamodb_requests": 0, "write_units": 0.0, "read_units": 0.0}

    def attach(self) -> None:
        """Listen to the client that all functions share."""
        connection().client.meta.events.register("after-call.dynamodb", self._count_call)

    def count_request(self) -> None:
        """A request reached a function."""
        with self._lock:
            self._counts["requests"] += 1

    def usage(self) -> dict[str, float]:
        """Everything so far."""
        with self._lock:
            return dict(self._counts)

    def _count_call(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        kind = "read_units" if model.name in _READS else "write_units"
        with self._lock:
            self._counts["dynamodb_requests"] += 1
            self._counts[kind] += _units(parsed.get("ConsumedCapacity"))


def _units(consumed: dict[str, float] | list[dict[str, float]] | None) -> float:
    tables = consumed if isinstance(consumed, list) else [consumed or {}]
    return sum(table.get("CapacityUnits", 0.0) for table in tables)
