"""The way to DynamoDB: one client for all models, errors told apart once, retries inside a time budget."""

import random
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from botocore import __version__ as botocore_version
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException, TransactGetError, TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from lockstep.clock import Deadline, sleep
from lockstep.errors import ContentionError, TableError
from lockstep.items import Item, TaskInstance

R = TypeVar("R")
S = TypeVar("S")

RawItem = dict[str, dict[str, Any]]

PARALLEL: Final = 8
"""How many requests one call may have under way at once."""
KEYS_PER_READ: Final = 100

USER_AGENT: Final = f"Lockstep Botocore/{botocore_version}"
"""None lets botocore make one, which it does twice for each request."""

RETRIES: Final[dict[str, Any]] = {"mode": "legacy", "total_max_attempts": 2}
"""botocore's: one, after 0.05 s. Its standard mode waits up to 6 s where a reply asks for it, stops trying again once
a client has met enough errors, and then hands on replies that it knows to be broken."""

CONDITION_FAILED: Final = "ConditionalCheckFailed"
_CONFLICTS: Final = {"TransactionConflict", "TransactionConflictException", "TransactionInProgressException"}
BUGS: Final = {"ValidationException", "ValidationError", "SerializationException"}
"""What DynamoDB says to a request that should never have been sent."""
_MAX_PAUSE_SECONDS: Final = 0.5


class Key(NamedTuple):
    """An item's key."""

    pk: str
    sk: str


class ConditionFailedError(Exception):
    """A write was turned down by its conditions and changed nothing.

    found holds, for each action of a transaction in order, the item that turned it down: None where the
    action's own condition held, an empty dict where there is no such item. The same of update; of no other write.
    """

    def __init__(self, found: Sequence[RawItem | None] = ()) -> None:
        super().__init__("conditional check failed")
        self.found = found


def connection() -> Connection:
    """The one connection, made at the first call, which must not be made by two threads, and shared by all models."""
    shared = TaskInstance._get_connection()  # noqa: SLF001  # PynamoDB has no public way to share a client between models
    if Item._connection is not shared:  # noqa: SLF001  # as above; the subclasses inherit it
        shared.connection.session.set_default_client_config(Config(user_agent=USER_AGENT))
        shared.connection._retry_configuration = dict(RETRIES)  # noqa: SLF001  # PynamoDB's models have no setting for it
        Item._connection = shared  # noqa: SLF001  # as above
    return shared.connection


def connect() -> None:
    """Make the client now: threads may share a botocore client but must not make one at the same time."""
    connection().client  # noqa: B018  # the property makes it


def reach(call: Callable[[], R], deadline: Deadline) -> R:
    """What the call returns, tried again while DynamoDB throttles or transactions collide and time is left.

    Raises:
        ConditionFailedError: the call's conditions did not hold.
        ContentionError: other transactions held the item until the deadline.
        TableError: DynamoDB cannot be reached, refuses the caller, or throttled until the deadline.
    """
    connection()
    if deadline.passed():
        raise TableError("the time budget is spent; the same request again does what is left")
    for pause in pauses():
        try:
            return call()
        except (PynamoDBException, ClientError, BotoCoreError) as error:
            codes = _worth_another_try(error)
            if not deadline.passed():
                sleep(pause)
            if deadline.passed():
                kind = ContentionError if codes & _CONFLICTS else TableError
                raise kind(f"gave up after the time budget: {', '.join(sorted(codes))}") from error
    raise AssertionError("unreachable: the pauses never end")


def pauses() -> Iterator[float]:
    """Seconds to wait before each next try: random, and longer each time up to half a second. Never ends."""
    longest = 0.02
    while True:
        yield random.uniform(0, longest)  # noqa: S311  # jitter, not a secret
        longest = min(longest * 2, _MAX_PAUSE_SECONDS)


def _worth_another_try(error: Exception) -> set[str]:
    """The codes of an error that is worth another try; every other error is raised under its name."""
    cause = getattr(error, "cause", None) or error
    if isinstance(cause, BotoCoreError):
        raise TableError(f"cannot reach the table: {cause}") from error
    if not isinstance(cause, ClientError):
        raise error
    code = cause.response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        raise ConditionFailedError([cause.response.get("Item", {})]) from error
    if isinstance(error, TransactGetError | TransactWriteError) and code == "TransactionCanceledException":
        codes = {reason.code for reason in error.cancellation_reasons if reason}
        if codes & BUGS:
            raise error
        if CONDITION_FAILED in codes:
            raise ConditionFailedError(_turned_down_by(error)) from error
        return codes
    if code in BUGS:
        raise error
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


def _turned_down_by(error: TransactGetError | TransactWriteError) -> list[RawItem | None]:
    return [
        (reason.raw_item or {}) if reason and reason.code == CONDITION_FAILED else None
        for reason in error.cancellation_reasons
    ]


def update(key: Key, changes: Sequence[Action], condition: Condition, deadline: Deadline) -> RawItem:
    """Send one UpdateItem that says what turned it down, which PynamoDB's own does not ask. The item as it was before.

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
    reply = reach(lambda: connection().client.update_item(**request), deadline)
    before: RawItem = reply.get("Attributes", {})
    return before


def transact(build: Callable[[TransactWrite], None], deadline: Deadline) -> None:
    """Send one TransactWriteItems of what build adds to it, all or nothing. build adds the same each time it is called.

    All tries carry one ClientRequestToken: should one land and its reply be lost, the next is told so and writes
    nothing. PynamoDB orders actions as checks, deletes, puts, updates; ConditionFailedError.found follows that order.

    Raises:
        ConditionFailedError, ContentionError, TableError: see reach.
    """
    token = str(uuid.uuid4())

    def send() -> None:
        with TransactWrite(connection=connection(), client_request_token=token) as transaction:
            build(transaction)

    reach(send, deadline)


def fetch(keys: Iterable[Key], deadline: Deadline, *, consistent: bool) -> dict[Key, RawItem]:
    """The items with these keys, as many as exist; consistent reads see every write that was acknowledged."""
    pages = side_by_side(
        lambda chunk: _fetch_page(chunk, deadline, consistent=consistent),
        chunks(dict.fromkeys(keys), KEYS_PER_READ),
    )
    return {Key(item["pk"]["S"], item["sk"]["S"]): item for page in pages for item in page}


def fetch_at_once(keys: Sequence[Key], deadline: Deadline) -> dict[Key, RawItem]:
    """The items with these keys as they stood together at one moment, as many as exist. At most 100.

    A batch's read may fall between the items of a transaction; this one, at twice the price, does not.
    """
    wanted = [{"TableName": Item.Meta.table_name, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}} for pk, sk in keys]
    reply = reach(lambda: connection().transact_get_items(wanted), deadline)
    return {key: got["Item"] for key, got in zip(keys, reply["Responses"], strict=True) if "Item" in got}


def fetch_present(keys: Iterable[Key], deadline: Deadline) -> dict[Key, RawItem]:
    """The items with these keys, as many as exist, at the price of reads that may lag behind.

    What such a read does not find is looked for again, consistently. For items that never change once they are there.
    """
    wanted = set(keys)
    found = fetch(wanted, deadline, consistent=False)
    return found | fetch(wanted - found.keys(), deadline, consistent=True)


def _fetch_page(keys: Sequence[Key], deadline: Deadline, *, consistent: bool) -> list[RawItem]:
    table = Item.Meta.table_name
    wanted: list[Any] = [key._asdict() for key in keys]
    found: list[RawItem] = []
    for pause in pauses():
        page = reach(
            lambda: connection().batch_get_item(table, wanted, consistent_read=consistent),  # noqa: B023  # called at once
            deadline,
        )
        found += page["Responses"].get(table, [])
        left = page.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        if not left:
            break
        if deadline.passed():
            raise TableError("gave up after the time budget: keys are left unread")
        wanted = [{name: value["S"] for name, value in key.items()} for key in left]
        sleep(pause)
    return found


def query(
    partition: str,
    condition: Condition,
    deadline: Deadline,
    *,
    consistent: bool = False,
    index: str | None = None,
) -> Iterator[RawItem]:
    """The items of one partition that meet a condition on the sort key, in its order, page by page."""
    start = None
    while True:
        page = reach(
            lambda: connection().query(
                Item.Meta.table_name,
                partition,
                condition,
                index_name=index,
                consistent_read=consistent,
                exclusive_start_key=start,  # noqa: B023  # called at once
            ),
            deadline,
        )
        yield from page["Items"]
        start = page.get("LastEvaluatedKey")
        if not start:
            return


def chunks(things: Iterable[S], size: int) -> Iterator[list[S]]:
    """The things in order, size at a time.

    >>> list(chunks("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    rest = iter(things)
    while chunk := list(islice(rest, size)):
        yield chunk


def side_by_side(work: Callable[[S], R], pieces: Iterable[S]) -> list[R]:
    """The results in order. One piece is worked off in the calling thread, more in PARALLEL threads.

    A thread knows what the calling one knows of the request: who calls, what to count.

    Raises what the first failing piece raised, after all are finished.
    """
    pieces = list(pieces)
    if len(pieces) < 2:  # noqa: PLR2004  # one is not many
        return [work(piece) for piece in pieces]
    connect()
    with ThreadPoolExecutor(PARALLEL) as threads:
        return list(threads.map(lambda known, piece: known.run(work, piece), [copy_context() for _ in pieces], pieces))
