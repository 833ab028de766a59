"""What AWS refuses is refused in memory, and never sent to the embedded engine, which would accept some of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest

from local.aws_limits import MAX_PAGE_BYTES, LimitError
from local.item_size import item_size
from lockstep.context import request
from lockstep.dynamodb.client import connection
from lockstep.dynamodb.item import Item, Key
from lockstep.dynamodb.reads import fetch, query
from tests.support.memory import in_memory
from tests.support.memory.operations import Table, answer

KEY: Final = {"pk": {"S": "TASK#1"}, "sk": {"S": "TI#001"}}
Asked = tuple[str, dict[str, Any]]


def item(**attributes: Any) -> dict[str, Any]:
    return KEY | attributes


def put(**attributes: Any) -> Asked:
    return "PutItem", {"Item": item(**attributes)}


def condition(expression: str, **values: Any) -> Asked:
    brought = {"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}} if values else {}
    return "UpdateItem", {
        "Key": KEY,
        "UpdateExpression": "REMOVE nodename",
        "ConditionExpression": expression,
    } | brought


def update(expression: str, **values: Any) -> dict[str, Any]:
    brought = {f":{name}": value for name, value in values.items()}
    return {"Key": KEY, "UpdateExpression": expression, "ExpressionAttributeValues": brought}


def puts(count: int, **attributes: Any) -> list[Any]:
    return [{"Put": {"Item": item(**attributes) | {"sk": {"S": f"TI#{number:03d}"}}}} for number in range(1, count + 1)]


def statement(attribute: str, value: Any) -> dict[str, Any]:
    text = f'UPDATE "lockstep" SET "{attribute}"=? WHERE pk=? AND sk=? AND "status"=?'  # noqa: S608  # a test's own
    return {"Statement": text, "Parameters": [value, *KEY.values(), {"S": "O"}]}


def reading(count: int) -> list[Any]:
    return [KEY | {"sk": {"S": str(number)}} for number in range(count)]


ONE, TWO = {"N": "1"}, {"N": "2"}
LETTERS: Final = {f"v{number}": {"S": str(number)} for number in range(101)}
REFUSED: Final[dict[str, Asked]] = {
    "NaN": put(report_by={"N": "NaN"}),
    "an infinite number": put(report_by={"N": "Infinity"}),
    "what is no number": put(report_by={"N": "one"}),
    "39 digits": put(report_by={"N": "1" * 39}),
    "a number beyond 126 digits": put(report_by={"N": "1E126"}),
    "39 digits in an update": ("UpdateItem", update("SET report_by = :n", n={"N": "1" * 39})),
    "39 digits within a list": put(values={"L": [{"M": {"n": {"N": "1" * 39}}}]}),
    "an item of 410 kB": put(command={"S": "x" * 410_000}),
    "an item of 410 kB in a batch": (
        "BatchWriteItem",
        {"RequestItems": {"lockstep": [{"PutRequest": {"Item": item(command={"S": "x" * 410_000})}}]}},
    ),
    "an update that leaves 410 kB": (
        "UpdateItem",
        update("SET a = :a, b = :b", a={"S": "x" * 205_000}, b={"S": "x" * 205_000}),
    ),
    "an expression of 4,097 bytes": condition(f"attribute_exists({'x' * 4_079})"),
    "a reversed BETWEEN": condition("report_by BETWEEN :low AND :high", low=TWO, high=ONE),
    "redundant parentheses": condition("((report_by = :one))", one=ONE),
    "301 operators": condition(" AND ".join(["a=:a"] * 151), a=ONE),
    "IN with 101 operands": condition(f"nodename IN ({', '.join(f':{name}' for name in LETTERS)})", **LETTERS),
    "a token of 37 characters": ("TransactWriteItems", {"TransactItems": puts(1), "ClientRequestToken": "x" * 37}),
    "an empty token": ("TransactWriteItems", {"TransactItems": puts(1), "ClientRequestToken": ""}),
    "101 actions": ("TransactWriteItems", {"TransactItems": puts(101)}),
    "a transaction of more than 4 MB": (
        "TransactWriteItems",
        {"TransactItems": puts(11, command={"S": "x" * 400_000})},
    ),
    "an item twice in a transaction": ("TransactWriteItems", {"TransactItems": puts(1) * 2}),
    "a transaction of nothing": ("TransactWriteItems", {"TransactItems": []}),
    "an empty key of an index": put(array_step={"S": ""}),
    "an empty key of an index in an update": ("UpdateItem", update("SET attention = :empty", empty={"S": ""})),
    "an empty key of an index by PartiQL": (
        "BatchExecuteStatement",
        {"Statements": [statement("array_step", {"S": ""})]},
    ),
    "a key of an index of another type": put(array_step_id={"S": "1"}),
    "26 statements": ("BatchExecuteStatement", {"Statements": [statement("report_by", ONE)] * 26}),
    "an empty key": ("PutItem", {"Item": KEY | {"sk": {"S": ""}}}),
    "a partition key of 2,049 bytes": ("PutItem", {"Item": KEY | {"pk": {"S": "x" * 2_049}}}),
    "a sort key of 1,025 bytes": ("PutItem", {"Item": KEY | {"sk": {"S": "x" * 1_025}}}),
    "101 keys in a batch": ("BatchGetItem", {"RequestItems": {"lockstep": {"Keys": reading(101)}}}),
    "a key twice in a batch": ("BatchGetItem", {"RequestItems": {"lockstep": {"Keys": reading(1) * 2}}}),
    "101 reads in a transaction": (
        "TransactGetItems",
        {"TransactItems": [{"Get": {"Key": key}} for key in reading(101)]},
    ),
    "26 writes in a batch": (
        "BatchWriteItem",
        {"RequestItems": {"lockstep": [{"PutRequest": {"Item": key}} for key in reading(26)]}},
    ),
}
ACCEPTED: Final[dict[str, Asked]] = {
    "38 digits": put(report_by={"N": "1" * 38 + "000"}),
    "an item of 400 kB": put(command={"S": "x" * (400 * 1024 - item_size(item(command={"S": ""})))}),
    "an expression of 4,096 bytes": condition(f"attribute_exists({'x' * 4_078})"),
    "a BETWEEN of one value": condition("report_by BETWEEN :low AND :high", low=ONE, high=ONE),
    "one pair of parentheses": condition("(report_by = :one)", one=ONE),
    "300 operators": condition(f"NOT {' AND '.join(['a=:a'] * 150)}", a=ONE),
    "IN with 100 operands": condition(
        f"nodename IN ({', '.join(f':v{number}' for number in range(100))})",
        **{name: value for name, value in LETTERS.items() if name != "v100"},
    ),
    "a token of 36 characters": ("TransactWriteItems", {"TransactItems": puts(1), "ClientRequestToken": "x" * 36}),
    "100 actions": ("TransactWriteItems", {"TransactItems": puts(100)}),
    "a transaction of 4 MB": ("TransactWriteItems", {"TransactItems": puts(10, command={"S": "x" * 400_000})}),
    "an empty text that is no key": put(nodename={"S": ""}),
    "25 statements": ("BatchExecuteStatement", {"Statements": [statement("report_by", ONE)] * 25}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_in_memory_it_is_refused(case: str) -> None:
    after, reply = answer(Table(), *REFUSED[case])
    assert after == Table()
    assert (reply.status, reply.body["__type"].rpartition("#")[2]) == (400, "ValidationException")


@pytest.mark.parametrize("case", ACCEPTED)
def test_up_to_the_limit_it_is_accepted(case: str) -> None:
    reply = answer(Table(), *ACCEPTED[case])[1]
    assert reply.status == 200 or reply.body["__type"].endswith("#ConditionalCheckFailedException"), reply.body


LEFT_BY_AN_UPDATE: Final = {"an update that leaves 410 kB", "an empty key of an index in an update"}
"""Only an engine knows the item; the embedded one refuses these too."""


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("case", sorted(REFUSED.keys() - LEFT_BY_AN_UPDATE))
def test_to_the_embedded_engine_it_is_not_sent(case: str) -> None:
    with nothing_leaves(), pytest.raises(LimitError):
        connection().client._make_api_call(*_with_table(REFUSED[case]))  # noqa: SLF001  # an operation by its name


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("case", sorted(LEFT_BY_AN_UPDATE))
def test_what_an_update_leaves_is_refused_by_the_embedded_engine(case: str) -> None:
    with pytest.raises(connection().client.exceptions.ClientError, match="ValidationException"):
        connection().client._make_api_call(*_with_table(REFUSED[case]))  # noqa: SLF001  # an operation by its name


def _with_table(asked: Asked) -> Asked:
    operation, parameters = asked
    named = {"TableName": "lockstep"} if operation in {"PutItem", "UpdateItem"} else {}
    return operation, parameters | named


@contextmanager
def nothing_leaves() -> Iterator[None]:
    def sent(**_: Any) -> None:
        raise ConnectionError("it was sent")

    events = connection().client.meta.events
    events.register("before-send.dynamodb", sent)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb", sent)


def test_reads_of_more_than_16_mb_leave_keys_unread_and_are_read_on() -> None:
    keys = [Key("TASK#1", f"TI#{number:03d}") for number in range(60)]
    with in_memory() as memory, request():
        for key in keys:
            memory.answer("PutItem", {"Item": {**_typed(key), "command": {"S": "x" * 390_000}}})
        reply = memory.answer("BatchGetItem", {"RequestItems": {"lockstep": {"Keys": [*map(_typed, keys)]}}}).body
        assert len(reply["Responses"]["lockstep"]) + len(reply["UnprocessedKeys"]["lockstep"]["Keys"]) == 60
        assert sum(map(item_size, reply["Responses"]["lockstep"])) <= 16 * 1024 * 1024
        assert len(fetch(keys, consistent=True)) == 60


def test_queries_of_more_than_1_mb_come_in_pages_and_are_read_on() -> None:
    keys = [Key("TASK#1", f"TI#{number:03d}") for number in range(7)]
    with in_memory() as memory, request():
        for key in keys:
            memory.answer("PutItem", {"Item": {**_typed(key), "command": {"S": "x" * 390_000}}})
        whole = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "TASK#1"}}}
        first = memory.answer("Query", whole).body
        assert first["LastEvaluatedKey"] == _typed(keys[len(first["Items"]) - 1])
        assert sum(map(item_size, first["Items"])) <= MAX_PAGE_BYTES
        assert [raw["sk"]["S"] for raw in query("TASK#1", Item.sk.between("TI#", "TI#~"))] == [key.sk for key in keys]


def _typed(key: Key) -> dict[str, Any]:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def test_an_operand_that_does_not_exist_is_refused_even_where_the_condition_fails() -> None:
    """AWS does not document which of the two it looks at first."""
    _, expression = condition("attribute_exists(pk)")
    reply = answer(Table(), "UpdateItem", expression | {"UpdateExpression": "SET a = b"})[1]
    assert reply.body["__type"].endswith("#ValidationException")
