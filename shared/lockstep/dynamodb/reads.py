"""Read items from DynamoDB: by their keys, or by a query."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from pynamodb.expressions.condition import Condition

from lockstep.clock import sleep
from lockstep.context import deadline
from lockstep.dynamodb.client import connection, pauses, reach
from lockstep.dynamodb.item import Item, Key, RawItem
from lockstep.dynamodb.parallel import chunks, run_parallel
from lockstep.errors import TableError

KEYS_PER_READ: Final = 100
"""Keys in one BatchGetItem, at most."""


def fetch(keys: Iterable[Key], *, consistent: bool, only: Sequence[str] = ()) -> dict[Key, RawItem]:
    """Read the items with these keys that exist. Consistent reads see every acknowledged write.

    only: the attributes to return beside the key; all, if none are named. It changes what is sent, not what is billed.
    """
    attributes = ["pk", "sk", *only] if only else None
    found = _fetch_items(dict.fromkeys(keys), attributes, consistent=consistent)
    return {Key(item["pk"]["S"], item["sk"]["S"]): item for item in found}


def fetch_only(attribute: str, keys: Iterable[Key], *, consistent: bool) -> dict[str, str]:
    """Read one text attribute of each item that exists, by partition key. Of the keys, only the partition keys differ.

    It is billed as fetch, and parsed faster, because little comes back.
    """
    found = _fetch_items(keys, ["pk", attribute], consistent=consistent)
    return {item["pk"]["S"]: item[attribute]["S"] for item in found}


def _fetch_items(keys: Iterable[Key], attributes: list[str] | None, *, consistent: bool) -> Iterator[RawItem]:
    pages = run_parallel(
        lambda chunk: _fetch_some(chunk, attributes, consistent=consistent), chunks(keys, KEYS_PER_READ)
    )
    return chain.from_iterable(pages)


def fetch_at_once(keys: Sequence[Key]) -> dict[Key, RawItem]:
    """Read the items with these keys that exist, all at the same moment. At most 100 keys.

    BatchGetItem may read one item before a transaction and another after it. TransactGetItems may not, and costs twice
    as much.
    """
    wanted = [{"TableName": Item.Meta.table_name, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}} for pk, sk in keys]
    reply = reach(lambda: connection().transact_get_items(wanted))
    return {key: got["Item"] for key, got in zip(keys, reply["Responses"], strict=True) if "Item" in got}


def fetch_present(keys: Iterable[Key]) -> dict[Key, RawItem]:
    """Read the items with these keys that exist. One that was just written may be shown as it was before.

    An eventually consistent read comes first; a consistent one follows for the keys that it does not find.
    """
    wanted = set(keys)
    found = fetch(wanted, consistent=False)
    return found | fetch(wanted - found.keys(), consistent=True)


def _fetch_some(keys: Sequence[Key], attributes: list[str] | None, *, consistent: bool) -> list[RawItem]:
    table = Item.Meta.table_name
    wanted: list[Any] = [key._asdict() for key in keys]
    found: list[RawItem] = []
    for pause in pauses():
        page = reach(
            lambda: connection().batch_get_item(
                table,
                wanted,  # noqa: B023  # called at once
                consistent_read=consistent,
                attributes_to_get=attributes,
            )
        )
        found += page["Responses"].get(table, [])
        left = page.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        if not left:
            break
        if deadline().passed():
            raise TableError("gave up after the time budget: keys are left unread")
        wanted = [{name: value["S"] for name, value in key.items()} for key in left]
        sleep(pause)
    return found


def query(
    partition: str,
    condition: Condition,
    *,
    consistent: bool = False,
    index: str | None = None,
    newest: bool = False,
    at_once: int | None = None,
) -> Iterator[RawItem]:
    """Yield the items of a partition whose sort key meets a condition, in sort key order, page by page.

    newest: in reverse order.
    at_once: the items of a page at most; by default, as many as take 1 MB. Each page is billed as it is read.
    """
    start = None
    while True:
        page = reach(
            lambda: connection().query(
                Item.Meta.table_name,
                partition,
                condition,
                index_name=index,
                consistent_read=consistent,
                scan_index_forward=False if newest else None,
                limit=at_once,
                exclusive_start_key=start,  # noqa: B023  # called at once
            )
        )
        yield from page["Items"]
        start = page.get("LastEvaluatedKey")
        if not start:
            return
