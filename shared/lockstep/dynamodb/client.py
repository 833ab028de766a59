"""Call DynamoDB: one client for all models, one place for errors, retries within the request's deadline.

Here are the writes that have conditions: one item's, and a transaction's. reads.py and puts.py have the rest.
"""

import random
import uuid
from collections.abc import Callable, Iterator, Sequence
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
from lockstep.context import deadline, slots
from lockstep.dynamodb.item import Item, Key, RawItem
from lockstep.errors import ContentionError, TableError

R = TypeVar("R")

ACTIONS_PER_TRANSACTION: Final = 100
"""Actions in one TransactWriteItems, at most."""

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

    found holds, for each action of a transaction in order, the item whose condition failed: None where the action's own
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
