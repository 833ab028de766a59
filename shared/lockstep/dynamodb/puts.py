"""Put whole items into DynamoDB, one with those that it leads to, or many."""

from collections.abc import Iterable, Sequence
from typing import Final

from pynamodb.transactions import TransactWrite

from lockstep.clock import sleep
from lockstep.context import deadline
from lockstep.dynamodb.client import ConditionFailedError, connection, pauses, reach, transact
from lockstep.dynamodb.item import Item, Key, RawItem
from lockstep.dynamodb.parallel import chunks, chunks_of_bytes, run_parallel
from lockstep.dynamodb.reads import fetch
from lockstep.errors import TableError

ITEMS_PER_WRITE: Final = 25
"""Items in one BatchWriteItem, at most."""
BYTES_PER_WRITE: Final = 2_000_000
"""Characters and bytes of one BatchWriteItem's items, unless it has one item. AWS takes 16 MB; less ends in time."""
PUT_UNREAD: Final = 1_000
"""The items that are put without a look at what is stored. Of more, in pieces of as many, only those are put that an
earlier try of the call has not put: a read costs half as much as a write, and takes a quarter of the requests.
"""
_TRIES_SECONDS: Final = 300
"""The seconds within which a client sends a call again. What was stored longer ago, and expires, is put again."""


def put_new(lookup: Item, *others: Item) -> RawItem | None:
    """Write a lookup and the items that it leads to in one transaction, unless the lookup's key is taken.

    Returns None if they were written, else the item that stands under that key.

    Raises:
        ContentionError, TableError: see client.reach.
    """

    def build(transaction: TransactWrite) -> None:
        transaction.save(lookup, type(lookup).pk.does_not_exist(), return_values="ALL_OLD")
        for item in others:
            transaction.save(item)

    try:
        transact(build)
    except ConditionFailedError as failed:
        return failed.found[0]
    return None


def put_many(items: Iterable[Item]) -> None:
    """Write items, whatever stood under their keys. The keys are distinct.

    If a request fails, others may have been written: for items whose content follows from their key.

    Raises:
        TableError: see client.reach; or DynamoDB left items unwritten until the deadline.
    """
    serialized = (item.serialize() for item in items)
    run_parallel(_put_some, chunks_of_bytes(serialized, _taken, BYTES_PER_WRITE, ITEMS_PER_WRITE))


def _taken(item: RawItem) -> int:
    return sum(len(value) for typed in item.values() for value in typed.values() if isinstance(value, str | bytes))


def _put_some(items: Sequence[RawItem]) -> None:
    table = Item.Meta.table_name
    wanted = {table: [{"PutRequest": {"Item": item}} for item in items]}
    for pause in pauses():
        reply = reach(
            lambda: connection().client.batch_write_item(RequestItems=wanted, ReturnConsumedCapacity="TOTAL")  # noqa: B023  # called at once
        )
        wanted = reply.get("UnprocessedItems", {})
        if not wanted:
            return
        if deadline().passed():
            raise TableError("gave up after the time budget: items are left unwritten; send the same request again")
        sleep(pause)


def put_repeatable(
    items: Sequence[Item], told_apart_by: Sequence[str] = (), *, read_at_once: int | None = None
) -> None:
    """Put items with distinct keys, whatever stood under them.

    told_apart_by: the attributes by which an item may differ from another one under its key; none if its content is its
        key.
    read_at_once: the items of which a call with more than PUT_UNREAD holds at once what is stored; by default, as many.

    Raises:
        UnavailableError: some may be put; the same call again puts the rest.
    """
    if len(items) <= PUT_UNREAD:
        put_many(items)
        return
    for some in chunks(items, read_at_once or PUT_UNREAD):
        put_many(_missing(some, told_apart_by))


def _missing(items: Sequence[Item], told_apart_by: Sequence[str]) -> list[Item]:
    keys = [Key(item.pk, item.sk) for item in items]
    stored = fetch(keys, consistent=bool(told_apart_by), only=("expires_at", *told_apart_by))
    return [item for key, item in zip(keys, items, strict=True) if not _is_put(item, stored.get(key), told_apart_by)]


def _is_put(item: Item, stored: RawItem | None, told_apart_by: Sequence[str]) -> bool:
    if stored is None:
        return False
    wanted = item.serialize()
    expires, expired = (float(raw.get("expires_at", {"N": "inf"})["N"]) for raw in (wanted, stored))
    return all(wanted.get(name) == stored.get(name) for name in told_apart_by) and expired >= expires - _TRIES_SECONDS
