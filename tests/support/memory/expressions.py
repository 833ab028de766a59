"""DynamoDB's condition and update expressions: as much of the grammar as PynamoDB writes, and no more."""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal
from functools import cache
from typing import Any, Final, NamedTuple

Value = Mapping[str, Any]
Item = Mapping[str, Value]

_TOKEN: Final = re.compile(r"\s*([#:]?\w+|<=|>=|<>|[=<>(),+-])")
_PLACEHOLDER: Final = re.compile(r"[#:]\w+")
_EXPRESSIONS: Final = ("ConditionExpression", "KeyConditionExpression", "UpdateExpression")
_CLAUSES: Final = {"SET", "REMOVE", "ADD"}
_PRECISION: Final = Context(prec=38)


class InvalidRequestError(Exception):
    """DynamoDB would answer ValidationException."""


class Names(NamedTuple):
    """What the placeholders of a request stand for."""

    names: Mapping[str, str]
    values: Mapping[str, Value]

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> "Names":
        """Those that a request brings. As DynamoDB does, it refuses one too few, and one too many.

        Raises:
            InvalidRequestError: it brings others than its expressions use.
        """
        names = cls(request.get("ExpressionAttributeNames") or {}, request.get("ExpressionAttributeValues") or {})
        used = {token for name in _EXPRESSIONS for token in _PLACEHOLDER.findall(request.get(name) or "")}
        if odd := used ^ (names.names.keys() | names.values.keys()):
            raise InvalidRequestError(f"not defined, or not used in expressions: {', '.join(sorted(odd))}")
        return names

    def name(self, token: str) -> str:
        """The attribute that a token names."""
        return self.names[token] if token.startswith("#") else token


Condition = Callable[[Item, Names], bool]
Operand = Callable[[Item, Names], Value | None]


class Change(NamedTuple):
    """One action of an update."""

    clause: str
    name: str
    operand: Operand | None


def normal(number: str) -> str:
    """A number as DynamoDB gives it back: 38 digits, no zeros that say nothing."""
    value = _PRECISION.create_decimal(number)
    return f"{value.normalize(_PRECISION):f}" if value else "0"


@cache
def condition(expression: str) -> Condition:
    """Whether an item meets it."""
    tokens = _Tokens(expression)
    parsed = _or(tokens)
    tokens.expect("")
    return parsed


@cache
def update(expression: str) -> Callable[[Names], list[Change]]:
    """The actions of an update."""
    tokens = _Tokens(expression)
    clauses: list[tuple[str, str, Operand | None]] = []
    while clause := tokens.take():
        if clause not in _CLAUSES:
            raise InvalidRequestError(f"no clause of an update: {clause}")
        clauses.append((clause, tokens.take(), _right_side(clause, tokens)))
        while tokens.took(","):
            clauses.append((clause, tokens.take(), _right_side(clause, tokens)))
    return lambda names: [Change(clause, names.name(token), operand) for clause, token, operand in clauses]


class _Tokens:
    def __init__(self, expression: str) -> None:
        self._left = _TOKEN.findall(expression)
        if "".join(self._left) != re.sub(r"\s", "", expression):
            raise InvalidRequestError(f"no expression: {expression}")
        self._left.reverse()

    def peek(self) -> str:
        return self._left[-1] if self._left else ""

    def take(self) -> str:
        return self._left.pop() if self._left else ""

    def took(self, token: str) -> bool:
        return self.peek() == token and bool(self.take())

    def expect(self, token: str) -> None:
        if (found := self.take()) != token:
            raise InvalidRequestError(f"{found or 'the end'} instead of {token or 'the end'}")


def _right_side(clause: str, tokens: _Tokens) -> Operand | None:
    if clause == "REMOVE":
        return None
    if clause == "ADD":
        return _operand(tokens)
    tokens.expect("=")
    left = _operand(tokens)
    if not tokens.took("+"):
        return left
    right = _operand(tokens)
    return lambda item, names: _sum(left(item, names), right(item, names))


def _sum(left: Value | None, right: Value | None) -> Value:
    if left is None or right is None:
        raise InvalidRequestError("an operand of a sum is missing")
    return {"N": normal(str(Decimal(left["N"]) + Decimal(right["N"])))}


def _or(tokens: _Tokens) -> Condition:
    parts = [_and(tokens)]
    while tokens.took("OR"):
        parts.append(_and(tokens))
    return parts[0] if len(parts) == 1 else lambda item, names: any(part(item, names) for part in parts)


def _and(tokens: _Tokens) -> Condition:
    parts = [_not(tokens)]
    while tokens.took("AND"):
        parts.append(_not(tokens))
    return parts[0] if len(parts) == 1 else lambda item, names: all(part(item, names) for part in parts)


def _not(tokens: _Tokens) -> Condition:
    if tokens.took("NOT"):
        negated = _not(tokens)
        return lambda item, names: not negated(item, names)
    if tokens.took("("):
        inner = _or(tokens)
        tokens.expect(")")
        return inner
    return _comparison(tokens)


def _comparison(tokens: _Tokens) -> Condition:
    if tokens.peek() in _FUNCTIONS:
        return _function(tokens)
    left = _operand(tokens)
    match tokens.take():
        case "IN":
            return _among(left, _arguments(tokens))
        case "BETWEEN":
            low = _operand(tokens)
            tokens.expect("AND")
            return _between(left, low, _operand(tokens))
        case operator if operator in _COMPARED:
            return _compared(left, operator, _operand(tokens))
        case other:
            raise InvalidRequestError(f"no comparison: {other}")


def _function(tokens: _Tokens) -> Condition:
    name = tokens.take()
    subject, *more = _arguments(tokens)
    if name == "begins_with":
        [prefix] = more
        return lambda item, names: _begins_with(subject(item, names), prefix(item, names))
    wanted = name == "attribute_exists"
    return lambda item, names: (subject(item, names) is not None) is wanted


def _begins_with(value: Value | None, prefix: Value | None) -> bool:
    return value is not None and prefix is not None and str(value.get("S", "")).startswith(str(prefix["S"]))


_FUNCTIONS: Final = {"attribute_exists", "attribute_not_exists", "begins_with"}


def _arguments(tokens: _Tokens) -> list[Operand]:
    tokens.expect("(")
    found = [_operand(tokens)]
    while tokens.took(","):
        found.append(_operand(tokens))
    tokens.expect(")")
    return found


def _operand(tokens: _Tokens) -> Operand:
    token = tokens.take()
    if token == "if_not_exists":  # noqa: S105  # a function of DynamoDB's
        path, otherwise = _arguments(tokens)
        return lambda item, names: _first_there([path(item, names), otherwise(item, names)])
    if token.startswith(":"):
        return lambda _, names: names.values[token]
    return lambda item, names: item.get(names.name(token))


def _first_there(values: Iterable[Value | None]) -> Value | None:
    return next((value for value in values if value is not None), None)


def _among(left: Operand, right: list[Operand]) -> Condition:
    def holds(item: Item, names: Names) -> bool:
        value = left(item, names)
        return any(_is_equal(value, each(item, names)) for each in right)

    return holds


def _between(left: Operand, low: Operand, high: Operand) -> Condition:
    def holds(item: Item, names: Names) -> bool:
        value, first, last = left(item, names), low(item, names), high(item, names)
        return _is_ordered(first, "<=", value) and _is_ordered(value, "<=", last)

    return holds


def _compared(left: Operand, operator: str, right: Operand) -> Condition:
    def holds(item: Item, names: Names) -> bool:
        one, other = left(item, names), right(item, names)
        match operator:
            case "=":
                return _is_equal(one, other)
            case "<>":
                return not _is_equal(one, other)
            case _:
                return _is_ordered(one, operator, other)

    return holds


def _is_equal(one: Value | None, other: Value | None) -> bool:
    return one is not None and other is not None and key(one) == key(other)


def _is_ordered(one: Value | None, operator: str, other: Value | None) -> bool:
    """What is not there, or of another type, is in no order."""
    if one is None or other is None or one.keys() != other.keys():
        return False
    return bool(_COMPARED[operator](key(one)[1], key(other)[1]))


_COMPARED: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "=": lambda one, other: one == other,
    "<>": lambda one, other: one != other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


def key(value: Value) -> tuple[str, Any]:
    """Type and value such that equal values are equal and ordered ones in DynamoDB's order: text by its bytes."""
    [(kind, content)] = value.items()
    if kind == "N":
        return kind, Decimal(content)
    return kind, content.encode() if kind == "S" else content
