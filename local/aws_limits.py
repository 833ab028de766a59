"""Refuse requests that AWS's DynamoDB refuses and engines on this machine may accept.

`make run` and the tests hold every request of the functions against these limits: a request past one is a defect, and
fails with a LimitError. The tests' DynamoDB in memory refuses it as AWS does.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from local.item_size import item_size, value_size
from local.template import Template

MAX_ITEM_BYTES: Final = 400 * 1024
MAX_TRANSACTION_BYTES: Final = 4 * 1024 * 1024
MAX_BATCH_READ_BYTES: Final = 16 * 1024 * 1024
"""BatchGetItem leaves the keys past this unread."""
MAX_PAGE_BYTES: Final = 1024 * 1024
"""Query ends a page with the item that exceeds this."""
MAX_EXPRESSION_BYTES: Final = 4_096
MAX_OPERATORS: Final = 300
MAX_IN_OPERANDS: Final = 100
MAX_ACTIONS: Final = 100
MAX_BATCH_KEYS: Final = 100
MAX_BATCH_WRITES: Final = 25
MAX_STATEMENTS: Final = 25
MAX_TOKEN_CHARACTERS: Final = 36
MAX_DIGITS: Final = 38
MAX_KEY_BYTES: Final = {"pk": 2_048, "sk": 1_024}
_SMALLEST, _LARGEST = Decimal("1E-130"), Decimal("9.9999999999999999999999999999999999999E+125")

EXPRESSIONS: Final = ("ConditionExpression", "KeyConditionExpression", "UpdateExpression")
_OPERATOR: Final = re.compile(
    r"<=|>=|<>|[=<>+-]|\b(?:AND|OR|NOT|IN|BETWEEN|attribute_exists|attribute_not_exists|begins_with|if_not_exists)\b"
)
_BETWEEN: Final = re.compile(r"BETWEEN\s+(:\w+)\s+AND\s+(:\w+)")
_IN: Final = re.compile(r"\bIN\s*\(([^)]*)\)")
_SET_BY_PARTIQL: Final = re.compile(r'SET "(\w+)"=\?')

Request = Mapping[str, Any]


class LimitError(AssertionError):
    """A request that AWS refuses. The message says which limit it exceeds."""


def check(operation: str, request: Request) -> None:
    """Hold a request against AWS's limits.

    Raises:
        LimitError: AWS would refuse it.
    """
    _CHECKS.get(operation, _check_action)(request)


def attach(events: Any) -> None:
    """Check every request of a botocore client, by its events, before it is sent."""
    events.register("before-parameter-build.dynamodb", _check_call)


def _check_call(params: Request, model: Any, **_: Any) -> None:
    check(model.name, params)


def check_item(item: Request) -> None:
    """Hold a stored item against the limits: of a put, or of what an update leaves.

    Raises:
        LimitError: AWS would refuse to store it.
    """
    _require(item_size(item) <= MAX_ITEM_BYTES, f"an item of more than {MAX_ITEM_BYTES} bytes")
    for name, value in item.items():
        _check_indexed(name, value)


def _require(holds: bool, what: str) -> None:  # noqa: FBT001  # as assert takes it
    if not holds:
        raise LimitError(f"AWS refuses {what}")


def _check_action(action: Request) -> None:
    for name in EXPRESSIONS:
        if expression := action.get(name):
            _check_expression(expression, action.get("ExpressionAttributeValues") or {})
    for value in (action.get("ExpressionAttributeValues") or {}).values():
        _check_value(value)
    if "Key" in action:
        _check_key(action["Key"])
    if "Item" in action:
        _check_put(action["Item"])


def _check_put(item: Request) -> None:
    for value in item.values():
        _check_value(value)
    _check_key(item)
    check_item(item)


def _check_key(attributes: Request) -> None:
    for name, most in MAX_KEY_BYTES.items():
        size = value_size(attributes[name])
        _require(0 < size <= most, f"a key {name} of {size} bytes")


def _check_value(value: Request) -> None:
    for number in _numbers(value):
        try:
            parsed = Decimal(number)
        except InvalidOperation:
            raise LimitError(f"AWS refuses {number} for a number") from None
        _require(parsed.is_finite(), f"{number} for a number")
        digits = "".join(map(str, parsed.as_tuple().digits)).strip("0")
        _require(len(digits) <= MAX_DIGITS, f"more than {MAX_DIGITS} digits: {number}")
        _require(not parsed or _SMALLEST <= abs(parsed) <= _LARGEST, f"a number out of its range: {number}")


def _numbers(value: Request) -> Iterator[str]:
    match value:
        case {"N": number}:
            yield number
        case {"L": values}:
            for each in values:
                yield from _numbers(each)
        case {"M": values}:
            for each in values.values():
                yield from _numbers(each)


def _check_indexed(name: str, value: Request) -> None:
    """An index's key has its type and is not empty."""
    kind = _KEY_TYPES.get(name)
    _require(kind is None or bool(value.get(kind)), f"{value} for {name}, which is the key of an index")


def _check_expression(expression: str, values: Request) -> None:
    for low, high in _check_text(expression):
        if low in values and high in values:
            _require(_ordered(values[low]) <= _ordered(values[high]), f"a reversed BETWEEN: {values[low]}")


@lru_cache(maxsize=1_024)
def _check_text(expression: str) -> Sequence[tuple[str, str]]:
    """Check an expression without its values, and return the bounds of each BETWEEN. Cached: they are few."""
    _require(len(expression.encode()) <= MAX_EXPRESSION_BYTES, f"an expression of over {MAX_EXPRESSION_BYTES} bytes")
    operators = len(_OPERATOR.findall(expression))
    _require(operators <= MAX_OPERATORS, f"an expression of {operators} operators")
    for operands in _IN.findall(expression):
        count = len(operands.split(","))
        _require(count <= MAX_IN_OPERANDS, f"IN with {count} operands")
    _require(not _has_redundant_parentheses(expression), f"redundant parentheses: {expression}")
    return _BETWEEN.findall(expression)


def _ordered(value: Request) -> Any:
    [(kind, content)] = value.items()
    return Decimal(content) if kind == "N" else content.encode()


def _has_redundant_parentheses(expression: str) -> bool:
    """Whether a pair of parentheses holds nothing but another pair.

    >>> _has_redundant_parentheses("((a = :b))"), _has_redundant_parentheses("((a = :b) OR (c = :d))")
    (True, False)
    """
    text = re.sub(r"\s", "", expression)
    opened: list[int] = []
    pairs: set[tuple[int, int]] = set()
    for at, character in enumerate(text):
        if character == "(":
            opened.append(at)
        elif character == ")" and opened:
            pairs.add((opened.pop(), at))
    return any((first - 1, last + 1) in pairs for first, last in pairs)


def _check_transaction(request: Request) -> None:
    actions = [action for entry in request["TransactItems"] for action in entry.values()]
    _check_count(actions, MAX_ACTIONS, "actions")
    token = request.get("ClientRequestToken")
    _require(token is None or 0 < len(token) <= MAX_TOKEN_CHARACTERS, f"a token of {len(token or '')} characters")
    for action in actions:
        _check_action(action)
    written = sum(map(_action_size, actions))
    _require(written <= MAX_TRANSACTION_BYTES, f"a transaction of {written} bytes")
    keys = [_key(action.get("Key") or action["Item"]) for action in actions]
    _require(len(set(keys)) == len(keys), "two actions on one item")


def _action_size(action: Request) -> int:
    """The bytes that an action brings. What it leaves of the item is not known here."""
    if "Item" in action:
        return item_size(action["Item"])
    return item_size(action["Key"]) + sum(map(value_size, (action.get("ExpressionAttributeValues") or {}).values()))


def _key(attributes: Request) -> tuple[str, str]:
    return attributes["pk"]["S"], attributes["sk"]["S"]


def _check_count(things: Sequence[Any], most: int, what: str) -> None:
    _require(0 < len(things) <= most, f"{len(things)} {what}")


def _check_transaction_that_reads(request: Request) -> None:
    _check_keys([entry["Get"]["Key"] for entry in request["TransactItems"]], MAX_ACTIONS)


def _check_batch_read(request: Request) -> None:
    _check_keys([key for wanted in request["RequestItems"].values() for key in wanted["Keys"]], MAX_BATCH_KEYS)


def _check_keys(keys: Sequence[Request], most: int) -> None:
    _check_count(keys, most, "keys")
    for key in keys:
        _check_key(key)
    _require(len({_key(key) for key in keys}) == len(keys), "one key twice")


def _check_batch_write(request: Request) -> None:
    items = [entry["PutRequest"]["Item"] for entries in request["RequestItems"].values() for entry in entries]
    _check_count(items, MAX_BATCH_WRITES, "items")
    for item in items:
        _check_put(item)


def _check_statements(request: Request) -> None:
    statements = request["Statements"]
    _check_count(statements, MAX_STATEMENTS, "statements")
    for statement in statements:
        for parameter in statement["Parameters"]:
            _check_value(parameter)
        names = _SET_BY_PARTIQL.findall(statement["Statement"])
        for name, value in zip(names, statement["Parameters"], strict=False):
            _check_indexed(name, value)


_CHECKS: Final[Mapping[str, Callable[[Request], None]]] = {
    "BatchExecuteStatement": _check_statements,
    "BatchGetItem": _check_batch_read,
    "BatchWriteItem": _check_batch_write,
    "TransactGetItems": _check_transaction_that_reads,
    "TransactWriteItems": _check_transaction,
}
_KEY_TYPES: Final[Mapping[str, str]] = {
    each["AttributeName"]: each["AttributeType"] for each in Template().table("lockstep")["AttributeDefinitions"]
}
