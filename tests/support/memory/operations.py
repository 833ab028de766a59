"""DynamoDB's operations as functions of a table that never changes: each gives the table after it, and the reply.

Exact for what Lockstep sends: test_memory.py holds it to what other engines answer, test_aws_limits.py to the limits
that AWS states and other engines do not keep. Where AWS does not document what it does, it does what is worse for the
caller: it refuses an operand that does not exist even where the condition fails. What it leaves out: consumed capacity,
TTL's deletions, and reads that lag behind, which are for whoever asks: he may ask an earlier table.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, count
from typing import Any, Final, NamedTuple

from local.aws_limits import MAX_BATCH_READ_BYTES, MAX_ITEM_BYTES, MAX_PAGE_BYTES, LimitError, check, check_item
from local.item_size import item_size
from local.template import Template
from tests.support.memory.expressions import InvalidRequestError, Item, Names, condition, key, normal, update

Key = tuple[str, str]
Request = Mapping[str, Any]

_STATEMENT: Final = re.compile(r'UPDATE "\w+"((?: SET "\w+"=\?)+)((?: REMOVE "\w+")*) WHERE pk=\? AND sk=\? AND (.+)')
_NAMES: Final = re.compile(r'"(\w+)"')


class Table(NamedTuple):
    """Everything there is at one moment."""

    items: Mapping[Key, Item] = {}
    tokens: Mapping[str, str] = {}
    """ClientRequestTokens of transactions that landed, with what they were sent for."""


class Reply(NamedTuple):
    """The HTTP status and the body."""

    status: int
    body: dict[str, Any]
    raw: bytes | None = None
    """What is sent in the body's stead, be it JSON or not."""
    headers: Mapping[str, str] = {}
    """Beside the content type."""


class _Refusal(Exception):  # noqa: N818  # a refused condition is no error
    """A condition does not hold of what is there."""

    def __init__(self, found: Item) -> None:
        super().__init__("the conditional request failed")
        self.found = found


def answer(table: Table, operation: str, request: Request) -> tuple[Table, Reply]:
    """The table after a request, and what it is answered."""
    try:
        _check_known(operation, request)
        check(operation, request)
        after, body = _OPERATIONS[operation](table, request)
    except (InvalidRequestError, LimitError) as error:
        return table, refusal("ValidationException", str(error))
    except _Refusal as refused:
        plain = refusal("ConditionalCheckFailedException", str(refused))
        return table, plain._replace(body=plain.body | _shown(request, refused))
    except _Cancelled as cancelled:
        codes = ", ".join(reason["Code"] for reason in cancelled.reasons)
        message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
        return table, refusal("TransactionCanceledException", message, CancellationReasons=cancelled.reasons)
    except _TokenMismatch:
        return table, refusal("IdempotentParameterMismatchException", "another request had that token")
    return after, Reply(200, body)


def refusal(code: str, message: str = "", status: int = 400, **more: Any) -> Reply:
    """An error as DynamoDB words it."""
    return Reply(status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **more})


def _shown(action: Request, refused: _Refusal) -> dict[str, Any]:
    """The item that turned it down, if there is one and it is asked for."""
    asked = action.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
    return {"Item": refused.found} if asked and refused.found else {}


class _Cancelled(Exception):  # noqa: N818  # as above
    def __init__(self, reasons: list[dict[str, Any]]) -> None:
        super().__init__("cancelled")
        self.reasons = reasons


class _TokenMismatch(Exception):  # noqa: N818  # as above
    pass


def _update_item(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    old, new = _updated(table.items, request)
    returned = {"ALL_NEW": new, "ALL_OLD": old}.get(request.get("ReturnValues", "NONE"))
    return _with(table, {_key(request["Key"]): new}), {"Attributes": returned} if returned else {}


def _delete_item(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    gone = _key(request["Key"])
    return table._replace(items={key: item for key, item in table.items.items() if key != gone}), {}


def _get_item(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    item = table.items.get(_key(request["Key"]))
    return table, {"Item": item} if item else {}


def _put_item(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    return _with(table, _put(table.items, request)), {}


def _batch_write_item(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    [actions] = request["RequestItems"].values()
    for action in actions:
        table = _with(table, _put(table.items, action["PutRequest"]))
    return table, {"UnprocessedItems": {}}


def _transact_write_items(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    actions = [(kind, action) for entry in request["TransactItems"] for kind, action in entry.items()]
    token, said = (
        request.get("ClientRequestToken"),
        json.dumps(request["TransactItems"], sort_keys=True, default=bytes.hex),
    )
    if token and token in table.tokens:
        if table.tokens[token] != said:
            raise _TokenMismatch
        return table, {}
    written, reasons = _all_actions(table.items, actions)
    if any(reason["Code"] != "None" for reason in reasons):
        raise _Cancelled(reasons)
    after = _with(table, written)
    return (after._replace(tokens={**after.tokens, token: said}) if token else after), {}


def _all_actions(
    items: Mapping[Key, Item], actions: Sequence[tuple[str, Request]]
) -> tuple[dict[Key, Item], list[dict[str, Any]]]:
    written: dict[Key, Item] = {}
    reasons: list[dict[str, Any]] = []
    for kind, action in actions:
        try:
            written |= _ACTIONS[kind](items, action)
        except _Refusal as refused:
            reason = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
            reasons.append(reason | _shown(action, refused))
        else:
            reasons.append({"Code": "None"})
    return written, reasons


def _update(items: Mapping[Key, Item], action: Request) -> dict[Key, Item]:
    return {_key(action["Key"]): _updated(items, action)[1]}


def _updated(items: Mapping[Key, Item], request: Request) -> tuple[Item | None, Item]:
    """The item before and after."""
    old, names = items.get(_key(request["Key"])), Names.of(request)
    holds = _holds(request, old or {}, names)
    before: Item = old or request["Key"]
    after = dict(before)
    changes = update(request["UpdateExpression"])(names) if "UpdateExpression" in request else []
    if len({change.name for change in changes}) < len(changes):
        raise InvalidRequestError("two paths overlap")
    for change in changes:
        if change.name in request["Key"]:
            raise InvalidRequestError(f"{change.name} is part of the key")
        value = change.operand(before, names) if change.operand else None
        if change.clause == "REMOVE":
            after.pop(change.name, None)
        elif value is None:
            raise InvalidRequestError("the expression refers to an attribute that does not exist in the item")
        else:
            after[change.name] = _sum(before, change.name, value) if change.clause == "ADD" else _stored(value)
    if not holds:
        raise _Refusal(old or {})
    check_item(after)
    return old, after


def _sum(before: Item, name: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
    old = before.get(name, {"N": "0"})
    return {"N": normal(str(key(old)[1] + key(value)[1]))}


def _stored(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"N": normal(value["N"])} if "N" in value else value


def _put(items: Mapping[Key, Item], action: Request) -> dict[Key, Item]:
    item = {name: _stored(value) for name, value in action["Item"].items()}
    old, names = items.get(_key(item)) or {}, Names.of(action)
    holds = _holds(action, old, names)
    if not holds:
        raise _Refusal(old)
    return {_key(item): item}


def _check(items: Mapping[Key, Item], action: Request) -> dict[Key, Item]:
    old, names = items.get(_key(action["Key"])) or {}, Names.of(action)
    holds = _holds(action, old, names)
    if not holds:
        raise _Refusal(old)
    return {}


_ACTIONS: Final[Mapping[str, Callable[[Mapping[Key, Item], Request], dict[Key, Item]]]] = {
    "ConditionCheck": _check,
    "Put": _put,
    "Update": _update,
}


def _holds(request: Request, item: Item, names: Names) -> bool:
    expression = request.get("ConditionExpression")
    return condition(expression)(item, names) if expression else True


def _with(table: Table, written: Mapping[Key, Item]) -> Table:
    return table._replace(items={**table.items, **written})


def _batch_get_item(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    [(name, wanted)] = request["RequestItems"].items()
    items = [table.items.get(_key(each), {}) for each in wanted["Keys"]]
    read = _how_many_fit(items, MAX_BATCH_READ_BYTES)
    left = {name: {**wanted, "Keys": wanted["Keys"][read:]}} if read < len(items) else {}
    shown = _projected(wanted)
    found = [{each: value for each, value in item.items() if shown is None or each in shown} for item in items[:read]]
    return table, {"Responses": {name: [item for item in found if item]}, "UnprocessedKeys": left}


def _projected(wanted: Request) -> set[str] | None:
    """The attributes that are asked for; None for all."""
    if "ProjectionExpression" not in wanted:
        return None
    names = wanted.get("ExpressionAttributeNames", {})
    return {names.get(each.strip(), each.strip()) for each in wanted["ProjectionExpression"].split(",")}


def _how_many_fit(items: Sequence[Item], most: int) -> int:
    """How many of the items, from the first on, take no more bytes than that together."""
    if len(items) * MAX_ITEM_BYTES <= most:
        return len(items)
    return bisect_right(list(accumulate(map(item_size, items))), most)


def _transact_get_items(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    keys = [_key(each["Get"]["Key"]) for each in request["TransactItems"]]
    found = [table.items.get(key) for key in keys]
    return table, {"Responses": [{"Item": item} if item else {} for item in found]}


def _query(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    index = request.get("IndexName")
    if index and request.get("ConsistentRead"):
        raise InvalidRequestError("consistent reads are not supported on global secondary indexes")
    names, holds = Names.of(request), condition(request["KeyConditionExpression"])
    attributes = _SCHEMA.indexes[index] if index else _SCHEMA.key
    given = [_stored(value) for value in names.values.values()]  # the partition is one of them
    listed = (item for item in table.items.values() if item.get(attributes[0]) in given)
    found = [item for item in listed if all(name in item for name in attributes) and holds(item, names)]
    backwards = not request.get("ScanIndexForward", True)
    found.sort(key=lambda item: [key(item[name])[1] for name in (*attributes[1:], *_SCHEMA.key)], reverse=backwards)
    return table, page(_shown_by(index, found), request, request.get("Limit"))


def _scan(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    """In the order of the keys. DynamoDB promises no more than that it keeps each partition together."""
    index = request.get("IndexName")
    attributes = _SCHEMA.indexes[index] if index else _SCHEMA.key
    found = [table.items[key] for key in sorted(table.items)]
    listed = [item for item in found if all(name in item for name in attributes)]
    return table, page(_shown_by(index, listed), request, request.get("Limit"))


def _shown_by(index: str | None, items: Sequence[Item]) -> Sequence[Item]:
    """What an index has of its items."""
    if not index:
        return items
    shown = {*_SCHEMA.indexes[index], *_SCHEMA.key, *_SCHEMA.included[index]}
    return [{name: value for name, value in item.items() if name in shown} for item in items]


def page(found: Sequence[Item], request: Request, size: int | None = None) -> dict[str, Any]:
    """The page of a query's or a scan's items that the request asks for: of so many items, or of 1 MB."""
    known = [{name: item[name] for name in _SCHEMA.key} for item in found]
    start = request.get("ExclusiveStartKey")
    first = known.index({name: start[name] for name in _SCHEMA.key}) + 1 if start else 0
    items = found[first:] if size is None else found[first : first + size]
    items = items[: _how_many_fit(items, MAX_PAGE_BYTES)]
    more = {"LastEvaluatedKey": known[first + len(items) - 1]} if first + len(items) < len(found) else {}
    return {"Items": items, "Count": len(items), "ScannedCount": len(items), **more}


def _batch_execute_statement(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    statements = request["Statements"]
    replies: list[dict[str, Any]] = []
    for statement in statements:
        table, reply = _execute(table, statement)
        replies.append(reply)
    return table, {"Responses": replies}


def _execute(table: Table, statement: Request) -> tuple[Table, dict[str, Any]]:
    parsed = _STATEMENT.fullmatch(statement["Statement"])
    if not parsed:
        raise InvalidRequestError(f"no statement of ours: {statement['Statement']}")
    names, parameters = _NAMES.findall(parsed[1]), statement["Parameters"]
    values, (pk, sk, *compared) = parameters[: len(names)], parameters[len(names) :]
    changes = dict(zip(names, map(_stored, values), strict=True))
    item = table.items.get((pk["S"], sk["S"]))
    if item is None or not _is_stated(parsed[3], compared, item):
        return table, {"Error": {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}}
    lost = set(_NAMES.findall(parsed[2]))
    kept = {name: value for name, value in item.items() if name not in lost}
    return _with(table, {(pk["S"], sk["S"]): {**kept, **changes}}), {"TableName": "lockstep"}


def _is_stated(where: str, compared: Sequence[Any], item: Item) -> bool:
    """Whether an item meets a statement's condition, which is written anew as DynamoDB's expressions are."""
    numbers = count()
    expression = re.sub(r'"(\w+)" IS MISSING', r"attribute_not_exists(\1)", where)
    expression = expression.replace('"', "").translate(_BRACKETS)
    expression = re.sub(r"\?", lambda _: f":p{next(numbers)}", expression)
    values = {f":p{number}": value for number, value in enumerate(compared)}
    if len(values) != next(numbers):
        raise InvalidRequestError(f"{len(values)} values are compared in: {where}")
    return condition(expression)(item, Names({}, values))


_BRACKETS: Final = str.maketrans("[]", "()")

_OPERATIONS: Final[Mapping[str, Callable[[Table, Request], tuple[Table, dict[str, Any]]]]] = {
    "BatchExecuteStatement": _batch_execute_statement,
    "BatchGetItem": _batch_get_item,
    "BatchWriteItem": _batch_write_item,
    "DeleteItem": _delete_item,
    "GetItem": _get_item,
    "PutItem": _put_item,
    "Query": _query,
    "Scan": _scan,
    "TransactGetItems": _transact_get_items,
    "TransactWriteItems": _transact_write_items,
    "UpdateItem": _update_item,
}


_CONDITIONED: Final = {"ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnConsumedCapacity", "TableName"}
_KNOWN: Final[Mapping[str, set[str]]] = {
    "BatchExecuteStatement": {"ReturnConsumedCapacity", "Statements"},
    "BatchGetItem": {"RequestItems", "ReturnConsumedCapacity"},
    "BatchWriteItem": {"RequestItems", "ReturnConsumedCapacity"},
    "DeleteItem": {"Key", "ReturnConsumedCapacity", "TableName"},
    "GetItem": {"ConsistentRead", "Key", "ReturnConsumedCapacity", "TableName"},
    "PutItem": _CONDITIONED | {"ConditionExpression", "Item", "ReturnValuesOnConditionCheckFailure"},
    "Query": _CONDITIONED
    | {"ConsistentRead", "ExclusiveStartKey", "IndexName", "KeyConditionExpression", "Limit", "ScanIndexForward"},
    "Scan": {"ExclusiveStartKey", "IndexName", "Limit", "ReturnConsumedCapacity", "TableName"},
    "TransactGetItems": {"ReturnConsumedCapacity", "TransactItems"},
    "TransactWriteItems": {"ClientRequestToken", "ReturnConsumedCapacity", "TransactItems"},
    "UpdateItem": _CONDITIONED
    | {"ConditionExpression", "Key", "ReturnValues", "ReturnValuesOnConditionCheckFailure", "UpdateExpression"},
}
"""What a request may say. What it may not is refused, lest it be passed over."""


def _check_known(operation: str, request: Request) -> None:
    if unknown := request.keys() - _KNOWN[operation]:
        raise InvalidRequestError(f"{operation} with {', '.join(sorted(unknown))} is not known here")


def _key(attributes: Item) -> Key:
    pk, sk = (attributes[name].get("S") for name in _SCHEMA.key)
    if not pk or not sk:
        raise InvalidRequestError("an item's key is two texts that are not empty")
    return pk, sk


class _Schema(NamedTuple):
    key: tuple[str, ...]
    indexes: Mapping[str, tuple[str, ...]]
    included: Mapping[str, tuple[str, ...]]
    """What an index has beside keys."""


def _read_schema() -> _Schema:
    table = Template().table("lockstep")
    return _Schema(
        key=tuple(part["AttributeName"] for part in table["KeySchema"]),
        indexes={
            index["IndexName"]: tuple(part["AttributeName"] for part in index["KeySchema"])
            for index in table["GlobalSecondaryIndexes"]
        },
        included={
            index["IndexName"]: tuple(index["Projection"].get("NonKeyAttributes", ()))
            for index in table["GlobalSecondaryIndexes"]
        },
    )


_SCHEMA: Final = _read_schema()
