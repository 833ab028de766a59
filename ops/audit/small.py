"""Check a table that is in memory, as tests have it: the audit's checks, without reads of DynamoDB."""

from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from lockstep.dynamodb.item import Key, RawItem
from ops.audit.audit import audit
from ops.audit.invariants.finding import Finding
from ops.audit.invariants.parsing import Parsed, parse
from ops.audit.reader import Index
from ops.audit.seen import Seen

MOST_REMEMBERED: Final = 10_000
_PARSED: Final[dict[int, tuple[RawItem, Parsed | Finding]]] = {}
"""Items by identity. Each is kept, so that no other gets its identity."""


def check_table(items: Mapping[tuple[str, str], Mapping[str, Any]]) -> list[Finding]:
    """The broken invariants of a table. Its items must not be changed in place."""
    return list(audit(InMemory(items), Seen()))


class InMemory:
    """Reads of items in memory. The indexes list what they must."""

    def __init__(self, items: Mapping[tuple[str, str], Mapping[str, Any]]) -> None:
        """Its items must not be changed in place."""
        self._items = cast("Mapping[Key, RawItem]", items)
        self._partitions: dict[str, list[RawItem]] = defaultdict(list)
        for key, raw in self._items.items():
            self._partitions[key[0]].append(raw)

    def parse(self, raw: RawItem) -> Parsed | Finding:
        """Parse an item, or remember what came of it: one table after another has the same items."""
        remembered = _PARSED.get(id(raw))
        if remembered is None:
            if len(_PARSED) == MOST_REMEMBERED:
                _PARSED.clear()
            remembered = _PARSED[id(raw)] = raw, parse(_with_bytes(raw))
        return remembered[1]

    def pause(self) -> None:
        """Nothing changes meanwhile."""

    def partitions(self) -> Iterator[tuple[str, list[RawItem]]]:
        yield from self._partitions.items()

    def task(self, pk: str) -> list[RawItem]:
        return self._partitions[pk]

    def partition(self, pk: str) -> list[RawItem]:
        return self._partitions.get(pk, [])

    def items(self, wanted: Iterable[Key]) -> dict[Key, RawItem]:
        return {key: self._items[key] for key in wanted if key in self._items}

    def index(self, index: Index) -> Iterator[RawItem]:
        return (raw for raw in self._items.values() if index.entry_of(raw))

    def listed(self, index: Index, hash_value: str, range_value: str | None = None) -> list[RawItem]:
        entries = [(raw, *index.entry(raw)) for raw in self.index(index)]
        return [raw for raw, of_hash, of_range in entries if of_hash == hash_value and range_value in {None, of_range}]


def _with_bytes(raw: RawItem) -> RawItem:
    """The item as botocore reads it: JSON holds bytes in base64."""
    return {name: {"B": b64decode(value["B"])} if "B" in value else value for name, value in raw.items()}
