"""Call DynamoDB: one client for all models, one place for errors, retries within the request's deadline."""

import random
import uuid
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import chain, islice
from typing import Any, Final, TypeVar

from botocore import __version__ as botocore_version
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException, TransactGetError, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from lockstep.clock import sleep
from lockstep.context import PARALLEL, deadline, share_slots, slots
from lockstep.dynamodb.item import Item, Key, RawItem
from lockstep.errors import ContentionError, TableError

R = TypeVar("R")
S = TypeVar("S")

KEYS_PER_READ: Final = 100
"""Keys in one BatchGetItem, at most."""
ACTIONS_PER_TRANSACTION: Final = 100
"""Actions in one TransactWriteItems, at most."""
ITEMS_PER_WRITE: Final = 25
"""Items in one BatchWriteItem, at most."""
BYTES_PER_WRITE: Final = 2_000_000
"""Characters and bytes of one BatchWriteItem's items, unless it has one item. AWS takes 16 MB; less ends in time."""

USER_AGENT: Final = f"Lockstep Botocore/{botocore_version}"
"""A fixed User-Agent: botocore would build its own twice for each request."""

RETRIES: Final[dict[str, Any]] = {"mode": "legacy", "total_max_attempts": 2}
"""Let botocore retry once, after 0.05 s. Its standard mode waits up to 6 s if a reply asks for it, stops retrying after
enough errors, and then returns replies that it knows to be broken.
"""

CONDITION_FAILED: Final = "ConditionalCheckFailed"
_CONFLICTS: Final = {"TransactionConflict", "TransactionConflictException"}
_CANCELLED: Final = "TransactionCanceledException"
_IN_PROGRESS: Final = "TransactionInProgressException"
BUGS: Final = {"ValidationException", "ValidationError", "SerializationException"}
"""DynamoDB's error codes for a request that should never have been sent."""
_MAX_PAUSE_SECONDS: Final = 0.5


class ConditionFailedError(Exception):
    """DynamoDB rejected a write by its conditions; nothing changed.

    found holds, for each action of a transaction in order, the item that rejected it: None where the action's own
    condition held, an empty dict where the item does not exist. update gives one; other writes give none.
    """

    def __init__(self, found: Sequence[RawItem | None] = ()) -> None:
        super().__init__("conditional check failed")
        self.found = found


def connection() -> Connection:
    """Return the connection that all models share. The first call makes it; two threads must not make it at once."""
    before = Item._connection  # noqa: SLF001  # PynamoDB has no public way to share a client between models
    shared = Item._get_connection()  # noqa: SLF001  # as above; the subclasses inherit it
    if shared is not before:
        shared.connection.session.set_default_client_config(Config(user_agent=USER_AGENT))
        shared.connection._retry_configuration = dict(RETRIES)  # noqa: SLF001  # PynamoDB's models have no setting for it
    return shared.connection


def connect() -> None:
    """Make the client now, because threads may share a botocore client but must not make it at the same time."""
    connection().client  # noqa: B018  # the property makes it


def reach(call: Callable[[], R]) -> R:
    """Call DynamoDB, and retry while it throttles or transactions conflict, until the request's deadline.

    At most PARALLEL calls of one request are under way at a time, however its threads nest. The others wait.

    Raises:
        ConditionFailedError: the call's conditions did not hold.
        ContentionError: the call conflicted with other transactions until the deadline, or an earlier try of it has not
            ended: AWS asks to wait 5 s then, which is longer than a function may wait.
        TableError: DynamoDB cannot be reached, refuses the caller, or throttled until the deadline.
    """
    connection()
    for pause in pauses():
        try:
            with slots():
                if deadline().passed():
                    raise TableError("the time budget is spent; send the same request again for the rest")
                return call()
        except (PynamoDBException, ClientError, BotoCoreError) as error:
            codes = _retryable_codes(error)
            if not deadline().passed():
                sleep(pause)
            if deadline().passed():
                kind = ContentionError if codes & _CONFLICTS else TableError
                raise kind(f"gave up after the time budget: {', '.join(sorted(codes))}") from error
    raise AssertionError("unreachable: the pauses never end")


def pauses() -> Iterator[float]:
    """Yield, without end, the seconds to wait before the next try: random, up to a limit that doubles to 0.5 s."""
    longest = 0.02
    while True:
        yield random.uniform(0, longest)  # noqa: S311  # jitter, not a secret
        longest = min(longest * 2, _MAX_PAUSE_SECONDS)


def _retryable_codes(error: Exception) -> set[str]:
    """Return the codes of an error that may be retried. Raise any other error."""
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, BotoCoreError):
        raise TableError(f"cannot reach the table: {cause}") from error
    if not isinstance(cause, ClientError):
        raise error
    code = cause.response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        raise ConditionFailedError([cause.response.get("Item", {})]) from error
    if isinstance(error, TransactGetError | TransactWriteError) and code == _CANCELLED:
        codes = {reason.code for reason in error.cancellation_reasons if reason}
        if codes & BUGS:
            raise error
        if CONDITION_FAILED in codes:
            raise ConditionFailedError(_rejected_by(error)) from error
        return codes
    if code in BUGS:
        raise error
    if code == _IN_PROGRESS:
        raise ContentionError("an earlier try of the same transaction has not ended; send it again") from error
    if code in _CONFLICTS | _THROTTLES:
        return {code}
    raise TableError(f"the table does not answer: {code}") from error


_THROTTLES: Final = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
}


def _rejected_by(error: TransactGetError | TransactWriteError) -> list[RawItem | None]:
    return [
        (reason.raw_item or {}) if reason and reason.code == CONDITION_FAILED else None
        for reason in error.cancellation_reasons
    ]


def update(key: Key, changes: Sequence[Action], condition: Condition) -> RawItem:
    """Send one UpdateItem and return the item as it was before.

    PynamoDB's own update does not request the item that fails the condition.

    Raises:
        ConditionFailedError, ContentionError, TableError: see reach.
    """
    request = connection().get_operation_kwargs(
        Item.Meta.table_name,
        *key,
        actions=changes,
        condition=condition,
        return_consumed_capacity="TOTAL",
        return_values="ALL_OLD",
        return_values_on_condition_failure="ALL_OLD",
    )
    reply = reach(lambda: connection().client.update_item(**request))
    before: RawItem = reply.get("Attributes", {})
    return before


class Transaction(TransactWrite):
    """The actions of one TransactWriteItems."""

    def change(self, key: Key, changes: Sequence[Action], condition: Condition | None) -> None:
        """Update the item with this key. If the condition fails, ConditionFailedError.found has the item.

        PynamoDB's own update takes an instance of the item's model, which takes longer to make than all the rest.
        """
        self._update_items.append(
            self._connection.get_operation_kwargs(
                Item.Meta.table_name,
                *key,
                actions=changes,
                condition=condition,
                return_values_on_condition_failure="ALL_OLD",
            )
        )


def transact(build: Callable[[Transaction], None]) -> None:
    """Send one TransactWriteItems with the actions that build adds. build must add the same actions each time.

    A try carries the ClientRequestToken of the one before it, unless that one certainly did not run: if a try succeeds
    and its reply is lost, the next one writes nothing and succeeds. A cancelled transaction did not run. The next try
    gets a new token, because AWS does not document whether the same one would repeat the cancellation.
    PynamoDB orders actions as checks, deletes, puts, updates; ConditionFailedError.found follows that order.

    Raises:
        ConditionFailedError, ContentionError, TableError: see reach.
    """
    token, certain = str(uuid.uuid4()), True

    def send() -> None:
        nonlocal token, certain
        try:
            with Transaction(connection=connection(), client_request_token=token) as transaction:
                build(transaction)
        except TransactWriteError as error:
            certain = certain and _certainly_did_not_run(error)
            if certain:
                token = str(uuid.uuid4())
            raise

    reach(send)


def _certainly_did_not_run(error: TransactWriteError) -> bool:
    """Whether the transaction was cancelled, and botocore had not tried it before without telling the outcome."""
    if not isinstance(error.cause, ClientError):
        return False
    reply = error.cause.response
    return reply["Error"]["Code"] == _CANCELLED and not reply.get("ResponseMetadata", {}).get("RetryAttempts")


def put_new(lookup: Item, *others: Item) -> RawItem | None:
    """Write a lookup and the items that it leads to in one transaction, unless the lookup's key is taken.

    Returns None if they were written, else the item that stands under that key.

    Raises:
        ContentionError, TableError: see reach.
    """

    def build(transaction: Transaction) -> None:
        transaction.save(lookup, type(lookup).pk.does_not_exist(), return_values="ALL_OLD")
        for item in others:
            transaction.save(item)

    try:
        transact(build)
    except ConditionFailedError as failed:
        return failed.found[0]
    return None


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
        lambda chunk: _fetch_page(chunk, attributes, consistent=consistent), chunks(keys, KEYS_PER_READ)
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


def _fetch_page(keys: Sequence[Key], attributes: list[str] | None, *, consistent: bool) -> list[RawItem]:
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


def put_many(items: Iterable[Item]) -> None:
    """Write items, whatever stood under their keys. The keys are distinct.

    If a request fails, others may have been written: for items whose content follows from their key.

    Raises:
        TableError: see reach; or DynamoDB left items unwritten until the deadline.
    """
    serialized = (item.serialize() for item in items)
    run_parallel(_put_page, chunks_of_bytes(serialized, _taken, BYTES_PER_WRITE, ITEMS_PER_WRITE))


def _taken(item: RawItem) -> int:
    return sum(len(value) for typed in item.values() for value in typed.values() if isinstance(value, str | bytes))


def _put_page(items: Sequence[RawItem]) -> None:
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


def chunks(things: Iterable[S], size: int) -> Iterator[list[S]]:
    """Split things into lists of `size`, in order; the last may be shorter.

    >>> list(chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    rest = iter(things)
    while chunk := list(islice(rest, size)):
        yield chunk


def chunks_of_bytes(
    things: Iterable[S], bytes_of: Callable[[S], int], limit: int, most: int | None = None
) -> Iterator[list[S]]:
    """Split things into lists that take at most `limit` bytes, in order. One that takes more is a list of its own.

    most: the things that a list holds at most.

    >>> list(chunks_of_bytes(["aa", "b", "c", "dddd"], len, 3, most=2))
    [['aa', 'b'], ['c'], ['dddd']]
    """
    chunk: list[S] = []
    taken = 0
    for thing in things:
        takes = bytes_of(thing)
        if chunk and (len(chunk) == most or taken + takes > limit):
            yield chunk
            chunk, taken = [], 0
        chunk.append(thing)
        taken += takes
    if chunk:
        yield chunk


def once(things: Iterable[S], by: Callable[[S], Hashable] = lambda thing: thing) -> Iterator[S]:
    """Yield things in order, each once. A query of an index may return an entry twice that moves meanwhile.

    by: what tells two things apart.

    >>> list(once([3, 1, 3])), list(once(["b1", "a1", "b2"], by=lambda text: text[0]))
    ([3, 1], ['b1', 'a1'])
    """
    seen: set[Hashable] = set()
    for thing in things:
        key = by(thing)
        if key not in seen:
            yield thing
        seen.add(key)


def rotated(things: Iterable[S]) -> list[S]:
    """Return the things in order, beginning at a random one, so that repeated calls begin at different ones."""
    listed = list(things)
    first = random.randrange(len(listed)) if listed else 0  # noqa: S311  # fairness, not a secret
    return listed[first:] + listed[:first]


def run_parallel(work: Callable[[S], R], pieces: Iterable[S]) -> list[R]:
    """Work on each piece and return the results in order: one piece in the calling thread, several in PARALLEL threads.

    Pieces may call run_parallel themselves: reach limits what all threads of a request send. The threads share the
    request's context. If pieces fail, raises the first one's error after all have finished.
    """
    pieces = list(pieces)
    if len(pieces) < 2:  # noqa: PLR2004  # one is not many
        return [work(piece) for piece in pieces]
    connect()
    share_slots()
    with ThreadPoolExecutor(PARALLEL) as threads:
        return list(threads.map(lambda own, piece: own.run(work, piece), [copy_context() for _ in pieces], pieces))
