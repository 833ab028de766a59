"""What can go wrong with a request to DynamoDB, each under a name that says it."""

import json
from binascii import crc32
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from lockstep.dynamodb.item import Item
from tests.support.memory.operations import Reply, page, refusal
from tests.verification.faults.engine import FOREVER, Call, Fault, Sent

CONNECT: Final = float(Item.Meta.connect_timeout_seconds)
READ: Final = float(Item.Meta.read_timeout_seconds)
SLOW: Final = READ - 0.1
"""Just in time for a reply."""
NOWHERE: Final = "https://dynamodb"

TRANSACTION: Final = frozenset({"TransactWriteItems"})
WRITE_OF_ONE: Final = frozenset({"PutItem", "UpdateItem"})
THROTTLED: Final = "ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"


def _ends_in(end: Reply | Exception, seconds: float = 0.0, *, ran: bool = False) -> Callable[[Call], Reply]:
    """The request is answered so, or nothing comes back but an error on the way."""

    def strike(call: Call) -> Reply:
        if ran:
            call.carry_out()
        call.takes(seconds)
        if isinstance(end, Exception):
            raise end
        return end

    return strike


def _slow(call: Call) -> Reply:
    call.takes(SLOW)
    return call.carry_out()


def _garbled(call: Call) -> Reply:
    """It ran, and its reply is broken on the way: the checksum says so."""
    reply = call.carry_out()
    whole = json.dumps(reply.body).encode()
    return reply._replace(raw=whole[: len(whole) // 2], headers={"x-amz-crc32": str(crc32(whole))})


def _to_the_end(then: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
    """Throttled as long as there is time: the last try begins as late as it may, and goes wrong so."""

    def strike(call: Call) -> Reply:
        if call.world.clock.passed - call.world.began < call.world.budget - 0.75:
            return refusal("ThrottlingException")
        return then(call)

    return strike


def _cancelled(code: str, where: Callable[[int], Iterable[int]]) -> Callable[[Call], Reply]:
    """A transaction that is cancelled over some of its actions, whatever their conditions."""

    def strike(call: Call) -> Reply:
        actions = len(call.request["TransactItems"])
        struck = set(where(actions))
        reasons = [{"Code": code if action in struck else "None"} for action in range(actions)]
        return refusal("TransactionCanceledException", "cancelled", CancellationReasons=reasons)

    return strike


def _first(_: int) -> Iterable[int]:
    return [0]


def _second(actions: int) -> Iterable[int]:
    return [min(1, actions - 1)]


def _last(actions: int) -> Iterable[int]:
    return [actions - 1]


def _all(actions: int) -> Iterable[int]:
    return range(actions)


def _beside(call: Call) -> Reply:
    """A transaction whose conditions do not hold, and which collides with another one besides."""
    reply = call.carry_out()
    reasons = reply.body.get("CancellationReasons", [])
    mixed = [{"Code": "TransactionConflict"} if each["Code"] == "None" else each for each in reasons]
    return reply._replace(body={**reply.body, "CancellationReasons": mixed}) if reasons else reply


def _instead(call: Call) -> Reply:
    """As above, but the last condition that does not hold is not looked at: its action collides."""
    reply = call.carry_out()
    reasons = list(reply.body.get("CancellationReasons", []))
    failed = [index for index, each in enumerate(reasons) if each["Code"] != "None"]
    if failed:
        reasons[failed[-1]] = {"Code": "TransactionConflict"}
    return reply._replace(body={**reply.body, "CancellationReasons": reasons}) if reasons else reply


def _is_cancelled(sent: Sent) -> bool:
    return sent.reply is not None and "CancellationReasons" in sent.reply.body


def _is_of_an_index(sent: Sent) -> bool:
    return sent.of_index is not None


def _unprocessed(left: Callable[[int], Iterable[int]]) -> Callable[[Call], Reply]:
    """A batch read that leaves some keys unread."""

    def strike(call: Call) -> Reply:
        [(table, wanted)] = call.request["RequestItems"].items()
        missed = [wanted["Keys"][index] for index in left(len(wanted["Keys"]))]
        read = [key for key in wanted["Keys"] if key not in missed]
        found: list[Any] = []
        if read:
            some = {**call.request, "RequestItems": {table: {**wanted, "Keys": read}}}
            found = call.world.carry_out(call.operation, some).body["Responses"][table]
        return Reply(200, {"Responses": {table: found}, "UnprocessedKeys": {table: {**wanted, "Keys": missed}}})

    return strike


def _unwritten(left: Callable[[int], Iterable[int]]) -> Callable[[Call], Reply]:
    """A batch of writes that leaves some items unwritten."""

    def strike(call: Call) -> Reply:
        [(table, puts)] = call.request["RequestItems"].items()
        missed = [puts[index] for index in left(len(puts))]
        written = [put for put in puts if put not in missed]
        if written:
            call.world.carry_out(call.operation, {**call.request, "RequestItems": {table: written}})
        return Reply(200, {"UnprocessedItems": {table: missed}})

    return strike


def _statements(code: str, which: Callable[[int], Iterable[int]], *, ran: bool = False) -> Callable[[Call], Reply]:
    """A batch of statements of which some fail."""

    def strike(call: Call) -> Reply:
        statements = call.request["Statements"]
        struck = set(which(len(statements)))
        done = [statement for index, statement in enumerate(statements) if ran or index not in struck]
        replies: Iterator[Any] = iter(())
        if done:
            replies = iter(call.world.carry_out(call.operation, {"Statements": done}).body["Responses"])
        said = [next(replies) if ran or index not in struck else None for index in range(len(statements))]
        error = {"Error": {"Code": code, "Message": code}}
        return Reply(200, {"Responses": [error if index in struck else each for index, each in enumerate(said)]})

    return strike


def _replayed(call: Call) -> Reply:
    """A transaction collides, and its token repeats that for ever: AWS does not document that it does not."""
    call.world.cancelled.add(call.request["ClientRequestToken"])
    return _cancelled("TransactionConflict", _first)(call)


def _twice(call: Call) -> Reply:
    """Each entry of an index moves while it is read, and is seen at both places."""
    reply = call.carry_out()
    return reply._replace(body={**reply.body, "Items": reply.body["Items"] * 2})


def _page(size: int) -> Callable[[Call], Reply]:
    def strike(call: Call) -> Reply:
        whole = {name: value for name, value in call.request.items() if name != "ExclusiveStartKey"}
        reply = call.world.carry_out(call.operation, whole)
        return reply._replace(body=page(reply.body["Items"], call.request, size))

    return strike


SILENCE: Final = ReadTimeoutError(endpoint_url=NOWHERE)
CLOSED: Final = ConnectionClosedError(endpoint_url=NOWHERE)
OF_THEIRS: Final = refusal("InternalServerError", "theirs", status=500)
ASKED_TO_WAIT: Final = refusal("ThrottlingException")._replace(headers={"x-amz-retry-after": "5000"})
NO_JSON: Final = Reply(500, {}, raw=b"<html>Bad Gateway</html>")

FAULTS: Final = (
    Fault("nobody there", _ends_in(EndpointConnectionError(endpoint_url=NOWHERE))),
    Fault("no connection in time", _ends_in(ConnectTimeoutError(endpoint_url=NOWHERE), CONNECT)),
    Fault("closed before it ran", _ends_in(CLOSED)),
    Fault("silence, it never ran", _ends_in(SILENCE, CONNECT + READ)),
    Fault("silence after it ran", _ends_in(SILENCE, CONNECT + READ, ran=True)),
    Fault("closed after it ran", _ends_in(CLOSED, ran=True)),
    Fault("a broken reply after it ran", _garbled),
    Fault("InternalServerError before it ran", _ends_in(OF_THEIRS)),
    Fault("InternalServerError after it ran", _ends_in(OF_THEIRS, ran=True)),
    Fault("500 without JSON before it ran", _ends_in(NO_JSON)),
    Fault("500 without JSON after it ran", _ends_in(NO_JSON, ran=True)),
    Fault("503 without JSON", _ends_in(NO_JSON._replace(status=503))),
    Fault("ServiceUnavailable", _ends_in(refusal("ServiceUnavailable", status=503))),
    *(Fault(code, _ends_in(refusal(code))) for code in THROTTLED),
    Fault("ThrottlingException, slowly", _ends_in(refusal("ThrottlingException"), SLOW)),
    Fault("ThrottlingException, slowly, asked to wait", _ends_in(ASKED_TO_WAIT, SLOW)),
    Fault("InternalServerError, slowly", _ends_in(OF_THEIRS, SLOW)),
    Fault("throttled to the end, then silence", _to_the_end(_ends_in(SILENCE, CONNECT + READ))),
    Fault("throttled to the end, then asked to wait", _to_the_end(_ends_in(ASKED_TO_WAIT, SLOW))),
    Fault("a slow reply", _slow),
    Fault("credentials expired", _ends_in(refusal("ExpiredTokenException"))),
    Fault("conflict on the first item", _cancelled("TransactionConflict", _first), operations=TRANSACTION),
    Fault("conflict on the second item", _cancelled("TransactionConflict", _second), operations=TRANSACTION),
    Fault("conflict on the last item", _cancelled("TransactionConflict", _last), operations=TRANSACTION),
    Fault("conflict on every item", _cancelled("TransactionConflict", _all), operations=TRANSACTION),
    Fault("an item throttled", _cancelled("ThrottlingError", _first), operations=TRANSACTION),
    Fault("items throttled", _cancelled("ProvisionedThroughputExceeded", _all), operations=TRANSACTION),
    Fault("a conflict that its token repeats", _replayed, operations=TRANSACTION),
    Fault("in progress", _ends_in(refusal("TransactionInProgressException")), operations=TRANSACTION),
    Fault(
        "in progress after it ran",
        _ends_in(refusal("TransactionInProgressException"), ran=True),
        operations=TRANSACTION,
    ),
    Fault("a conflict beside a condition", _beside, _is_cancelled, TRANSACTION),
    Fault("a conflict in a condition's stead", _instead, _is_cancelled, TRANSACTION),
    Fault("conflict of one write", _ends_in(refusal("TransactionConflictException")), operations=WRITE_OF_ONE),
    Fault("no key read", _unprocessed(_all), operations=frozenset({"BatchGetItem"})),
    Fault("the last key unread", _unprocessed(_last), operations=frozenset({"BatchGetItem"})),
    Fault("no item written", _unwritten(_all), operations=frozenset({"BatchWriteItem"})),
    Fault("the last item unwritten", _unwritten(_last), operations=frozenset({"BatchWriteItem"})),
    *(
        Fault(f"{name}: {code}", _statements(code, which), operations=frozenset({"BatchExecuteStatement"}))
        for name, which in (("a statement", _first), ("statements", _all))
        for code in ("InternalServerError", "ThrottlingError", "TransactionConflict")
    ),
    Fault(
        "statements ran: InternalServerError",
        _statements("InternalServerError", _all, ran=True),
        operations=frozenset({"BatchExecuteStatement"}),
    ),
    Fault("each entry of an index twice", _twice, _is_of_an_index, frozenset({"Query"})),
    Fault("a page of one item", _page(1), operations=frozenset({"Query"})),
    Fault("a page of two items", _page(2), operations=frozenset({"Query"})),
)

TIMES: Final = {1: "once", 2: "twice", FOREVER: "for ever"}
"""How often in a row. Twice is more than botocore bears."""
