"""DynamoDB's operations as functions of a table that never changes: each gives the table after it, and the reply.

Exact for what Lockstep sends; test_memory.py holds it to what other engines answer. What it leaves out: consumed
capacity, pages and items past their size limits, TTL's deletions, and reads that lag behind, which are for whoever
asks: he may ask an earlier table.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from local.template import Template
from tests.support.memory.expressions import InvalidRequestError, Item, Names, condition, key, normal, update

Key = tuple[str, str]
Request = Mapping[str, Any]

MOST_ACTIONS: Final = 100
MOST_KEYS: Final = 100
MOST_STATEMENTS: Final = 25
_STATEMENT: Final = re.compile(r'UPDATE "\w+" SET "(\w+)"=\? WHERE pk=\? AND sk=\? AND "(\w+)"=\?')


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
        after, body = _OPERATIONS[operation](table, request)
    except InvalidRequestError as error:
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


def _put_item(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    return _with(table, _put(table.items, request)), {}


def _batch_write_item(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    [actions] = request["RequestItems"].values()
    for action in actions:
        table = _with(table, _put(table.items, action["PutRequest"]))
    return table, {"UnprocessedItems": {}}


def _transact_write_items(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    actions = [(kind, action) for entry in request["TransactItems"] for kind, action in entry.items()]
    token, said = request.get("ClientRequestToken"), json.dumps(request["TransactItems"], sort_keys=True)
    if len(actions) > MOST_ACTIONS:
        raise InvalidRequestError(f"more than {MOST_ACTIONS} actions")
    keys = [_key(action["Item"] if kind == "Put" else action["Key"]) for kind, action in actions]
    if len(set(keys)) < len(keys):
        raise InvalidRequestError("one item stands in two actions")
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
        elif value is None and holds:
            raise InvalidRequestError("the expression refers to an attribute that does not exist in the item")
        elif value is not None:
            after[change.name] = _sum(before, change.name, value) if change.clause == "ADD" else _stored(value)
    if not holds:
        raise _Refusal(old or {})
    _check_indexed(after)
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
    _check_indexed(item)
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


def _check_indexed(item: Item) -> None:
    """A key of an index has its type, and is not empty."""
    for name, kind in _SCHEMA.types.items():
        value = item.get(name)
        if value is not None and (list(value) != [kind] or value[kind] == ""):
            raise InvalidRequestError(f"{name} is part of a key, of type {kind}")


def _with(table: Table, written: Mapping[Key, Item]) -> Table:
    return table._replace(items={**table.items, **written})


def _batch_get_item(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    [(name, wanted)] = request["RequestItems"].items()
    keys = [_key(each) for each in wanted["Keys"]]
    if len(keys) > MOST_KEYS or len(set(keys)) < len(keys):
        raise InvalidRequestError("too many keys, or one of them twice")
    found = [table.items[each] for each in keys if each in table.items]
    return table, {"Responses": {name: found}, "UnprocessedKeys": {}}


def _transact_get_items(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    keys = [_key(each["Get"]["Key"]) for each in request["TransactItems"]]
    if len(keys) > MOST_ACTIONS or len(set(keys)) < len(keys):
        raise InvalidRequestError("too many items, or one of them twice")
    found = [table.items.get(key) for key in keys]
    return table, {"Responses": [{"Item": item} if item else {} for item in found]}


def _query(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    index = request.get("IndexName")
    if index and request.get("ConsistentRead"):
        raise InvalidRequestError("consistent reads are not supported on global secondary indexes")
    names, holds = Names.of(request), condition(request["KeyConditionExpression"])
    attributes = _SCHEMA.indexes[index] if index else _SCHEMA.key
    found = [item for item in table.items.values() if all(name in item for name in attributes) and holds(item, names)]
    found.sort(key=lambda item: [key(item[name])[1] for name in (*attributes[1:], *_SCHEMA.key)])
    if index:
        shown = {*attributes, *_SCHEMA.key}
        found = [{name: value for name, value in item.items() if name in shown} for item in found]
    return table, {"Items": found, "Count": len(found), "ScannedCount": len(found)}


def _batch_execute_statement(table: Table, request: Request) -> tuple[Table, dict[str, Any]]:
    statements = request["Statements"]
    if len(statements) > MOST_STATEMENTS:
        raise InvalidRequestError(f"more than {MOST_STATEMENTS} statements")
    replies: list[dict[str, Any]] = []
    for statement in statements:
        table, reply = _execute(table, statement)
        replies.append(reply)
    return table, {"Responses": replies}


def _execute(table: Table, statement: Request) -> tuple[Table, dict[str, Any]]:
    parsed = _STATEMENT.fullmatch(statement["Statement"])
    if not parsed:
        raise InvalidRequestError(f"no statement of ours: {statement['Statement']}")
    value, pk, sk, equals = statement["Parameters"]
    item = table.items.get((pk["S"], sk["S"]), {})
    if parsed[2] not in item or key(item[parsed[2]]) != key(equals):
        return table, {"Error": {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}}
    return _with(table, {(pk["S"], sk["S"]): {**item, parsed[1]: _stored(value)}}), {"TableName": "lockstep"}


_OPERATIONS: Final[Mapping[str, Callable[[Table, Request], tuple[Table, dict[str, Any]]]]] = {
    "BatchExecuteStatement": _batch_execute_statement,
    "BatchGetItem": _batch_get_item,
    "BatchWriteItem": _batch_write_item,
    "PutItem": _put_item,
    "Query": _query,
    "TransactGetItems": _transact_get_items,
    "TransactWriteItems": _transact_write_items,
    "UpdateItem": _update_item,
}


_CONDITIONED: Final = {"ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnConsumedCapacity", "TableName"}
_KNOWN: Final[Mapping[str, set[str]]] = {
    "BatchExecuteStatement": {"ReturnConsumedCapacity", "Statements"},
    "BatchGetItem": {"RequestItems", "ReturnConsumedCapacity"},
    "BatchWriteItem": {"RequestItems", "ReturnConsumedCapacity"},
    "PutItem": _CONDITIONED | {"ConditionExpression", "Item", "ReturnValuesOnConditionCheckFailure"},
    "Query": _CONDITIONED | {"ConsistentRead", "ExclusiveStartKey", "IndexName", "KeyConditionExpression"},
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
    types: Mapping[str, str]


def _read_schema() -> _Schema:
    table = Template().table("lockstep")
    return _Schema(
        key=tuple(part["AttributeName"] for part in table["KeySchema"]),
        indexes={
            index["IndexName"]: tuple(part["AttributeName"] for part in index["KeySchema"])
            for index in table["GlobalSecondaryIndexes"]
        },
        types={each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]},
    )


_SCHEMA: Final = _read_schema()
