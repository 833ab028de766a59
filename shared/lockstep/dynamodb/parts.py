"""Put items that one call may not have the time for: the same call again puts those that are left."""

from collections.abc import Sequence
from typing import Final

from lockstep.dynamodb.client import chunks, fetch, put_many
from lockstep.dynamodb.item import Item, Key, RawItem

PUT_UNREAD: Final = 1_000
"""The items that are put without a look at what is stored. Of more, in pieces of as many, only those are put that an
earlier try of the call has not put: a read costs half as much as a write, and takes a quarter of the requests.
"""
_TRIES_SECONDS: Final = 300
"""The seconds within which a client sends a call again. What was stored longer ago, and expires, is put again."""


def put_in_parts(items: Sequence[Item], told_apart_by: Sequence[str] = (), *, read_at_once: int | None = None) -> None:
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
    stored = fetch(keys, consistent=False, only=("expires_at", *told_apart_by))
    return [item for key, item in zip(keys, items, strict=True) if not _is_put(item, stored.get(key), told_apart_by)]


def _is_put(item: Item, stored: RawItem | None, told_apart_by: Sequence[str]) -> bool:
    if stored is None:
        return False
    wanted = item.serialize()
    expires, expired = (float(raw.get("expires_at", {"N": "inf"})["N"]) for raw in (wanted, stored))
    return all(wanted.get(name) == stored.get(name) for name in told_apart_by) and expired >= expires - _TRIES_SECONDS
