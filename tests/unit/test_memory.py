"""The engine in memory answers as others do that know nothing of it: moto's, and the embedded one."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from local.engine import client, create_table, dynamodb
from tests.support.memory.expressions import normal
from tests.support.memory.operations import Table, answer

TABLE: Final = "compared"
STATUSES: Final = ("O", "R", "T")
KEYS: Final = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk in ("TASK#1", "TASK#2") for sk in ("TI#001", "TI#002")]
NUMBERS: Final = ("-3", "0", "1.5", "1700000000.25", "90071992547409931")

Asked = tuple[str, dict[str, Any]]
"""An operation and its parameters."""


def _values(**values: str) -> dict[str, Any]:
    return {f":{name}": {"S" if name.startswith("s") else "N": value} for name, value in values.items()}


STATUS: Final = st.sampled_from(STATUSES)
NUMBER: Final = st.sampled_from(NUMBERS)
CONDITIONS: Final[st.SearchStrategy[tuple[str, dict[str, Any]]]] = st.one_of(
    st.just(("attribute_exists (#pk)", {})),
    st.just(("attribute_not_exists (#pk)", {})),
    st.tuples(st.just("#status IN (:s1, :s2)"), st.builds(lambda a, b: _values(s1=a, s2=b), STATUS, STATUS)),
    st.tuples(st.just("NOT (#status = :s1)"), st.builds(lambda a: _values(s1=a), STATUS)),
    st.tuples(
        st.just("(#status = :s1 OR attribute_not_exists (#due)) AND #due < :n1"),
        st.builds(lambda a, n: _values(s1=a, n1=n), STATUS, NUMBER),
    ),
    st.tuples(st.just("#due >= :n1"), st.builds(lambda n: _values(n1=n), NUMBER)),
    st.tuples(st.just("#due <> :n1"), st.builds(lambda n: _values(n1=n), NUMBER)),
    st.tuples(
        st.just("#due BETWEEN :n1 AND :n2"),
        st.builds(lambda n, m: _values(n1=min(n, m, key=float), n2=max(n, m, key=float)), NUMBER, NUMBER),
    ),
)
UPDATES: Final[st.SearchStrategy[tuple[str, dict[str, Any]]]] = st.one_of(
    st.tuples(st.just("SET #status = :s3, #due = :n3"), st.builds(lambda a, n: _values(s3=a, n3=n), STATUS, NUMBER)),
    st.tuples(
        st.just("SET #status = if_not_exists(#status, :s3) REMOVE #due"), st.builds(lambda a: _values(s3=a), STATUS)
    ),
    st.tuples(st.just("SET #status = :s3 ADD #due :n3"), st.builds(lambda a, n: _values(s3=a, n3=n), STATUS, NUMBER)),
    st.tuples(
        st.just("SET #status = :s3, array_step = :s4, array_step_id = :n3"),
        st.builds(lambda a, n: _values(s3=a, s4="7#1#0", n3=n), STATUS, NUMBER),
    ),
    st.tuples(
        st.just("SET #due = if_not_exists(#due, :n3) + :n4"),
        st.builds(lambda n, m: _values(n3=n, n4=m), NUMBER, st.sampled_from(("0", "1", "500"))),
    ),
    st.just(("REMOVE #due, array_step", {})),
)
NAMES: Final = {"#pk": "pk", "#status": "status", "#due": "report_by"}


def _named(parameters: dict[str, Any]) -> dict[str, Any]:
    text = " ".join(value for name, value in parameters.items() if name.endswith("Expression"))
    used = {name: value for name, value in NAMES.items() if name in text}
    brought = {"ExpressionAttributeNames": used} if used else {}
    return parameters | brought


def _update(key: dict[str, Any], change: Any, condition: Any, returned: str) -> dict[str, Any]:
    (update, new), (holds, compared) = change, condition or ("", {})
    values = {"ExpressionAttributeValues": new | compared} if new | compared else {}
    conditioned = {"ConditionExpression": holds} if holds else {}
    return _named(
        {"TableName": TABLE, "Key": key, "UpdateExpression": update, "ReturnValuesOnConditionCheckFailure": returned}
        | values
        | conditioned
    )


def _check(key: dict[str, Any], condition: Any) -> dict[str, Any]:
    holds, compared = condition
    values = {"ExpressionAttributeValues": compared} if compared else {}
    return _named({"TableName": TABLE, "Key": key, "ConditionExpression": holds} | values)


def _statement(key: dict[str, Any], status: str, number: str, where: str) -> dict[str, Any]:
    text = f'UPDATE "{TABLE}" SET "report_by"=? WHERE pk=? AND sk=? AND {where}'  # noqa: S608  # a test's own
    compared = [{"S": status}] * where.count("?")
    return {"Statement": text, "Parameters": [{"N": number}, key["pk"], key["sk"], *compared]}


STATED: Final = st.sampled_from(
    ['"status"=?', '"status" IN [?, ?]', '"report_by" IS MISSING', '"status"=? AND "report_by" IS MISSING']
)


KEY: Final = st.sampled_from(KEYS)
RETURNED: Final = st.sampled_from(["ALL_OLD", "NONE"])
DELETE: Final = st.builds(lambda key: ("DeleteItem", {"TableName": TABLE, "Key": key}), KEY)
UPDATE_ITEM: Final = st.builds(
    lambda update, values: ("UpdateItem", update | {"ReturnValues": values}),
    st.builds(_update, KEY, UPDATES, st.none() | CONDITIONS, RETURNED),
    st.sampled_from(["NONE", "ALL_OLD", "ALL_NEW"]),
)
TRANSACT: Final = st.builds(
    lambda keys, change, condition, other, returned: (
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Update": _update(keys[0], change, condition, returned)},
                {"Update": _update(keys[1], change, None, returned)},
                {"ConditionCheck": _check(keys[2], other)},
            ]
        },
    ),
    st.permutations(KEYS),
    UPDATES,
    CONDITIONS,
    CONDITIONS,
    RETURNED,
)
PUT: Final = st.builds(
    lambda key, status, number: (
        "PutItem",
        {"TableName": TABLE, "Item": {**key, "status": {"S": status}, "report_by": {"N": number}}},
    ),
    KEY,
    STATUS,
    NUMBER,
)
STATEMENTS: Final = st.builds(
    lambda keys, status, number, where: (
        "BatchExecuteStatement",
        {"Statements": [_statement(key, status, number, where) for key in keys[:2]]},
    ),
    st.permutations(KEYS),
    STATUS,
    NUMBER,
    STATED,
)
READS: Final[list[Asked]] = [
    ("BatchGetItem", {"RequestItems": {TABLE: {"Keys": KEYS, "ConsistentRead": True}}}),
    ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": TABLE, "Key": key}} for key in KEYS]}),
    (
        "Query",
        {
            "TableName": TABLE,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :a AND :b",
            "ExpressionAttributeValues": {":pk": {"S": "TASK#1"}, ":a": {"S": "TI#001"}, ":b": {"S": "TI#002"}},
        },
    ),
    (
        "Query",
        {
            "TableName": TABLE,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": "TASK#1"}},
            "ScanIndexForward": False,
        },
    ),
    (
        "Query",
        {
            "TableName": TABLE,
            "IndexName": "array-step",
            "KeyConditionExpression": "array_step = :step AND array_step_id >= :first",
            "ExpressionAttributeValues": {":step": {"S": "7#1#0"}, ":first": {"N": "0"}},
        },
    ),
]


SCANS: Final[list[Asked]] = [
    ("Scan", {"TableName": TABLE}),
    ("Scan", {"TableName": TABLE, "IndexName": "array-step"}),
    *(("GetItem", {"TableName": TABLE, "Key": key, "ConsistentRead": True}) for key in KEYS),
]


def _courses(*asked: st.SearchStrategy[Asked]) -> st.SearchStrategy[list[Asked]]:
    return st.lists(st.one_of(*asked), min_size=1, max_size=12)


class Other:
    """An engine that is asked the same."""

    def __init__(self, asked: Any) -> None:
        self._client = asked

    def clear(self) -> None:
        for key in KEYS:
            self._client.delete_item(TableName=TABLE, Key=key)

    def ask(self, operation: str, request: dict[str, Any]) -> Any:
        try:
            return _plain(_normalised(self._client._make_api_call(operation, request)))  # noqa: SLF001  # an operation by its name
        except ClientError as error:
            return _plain(_normalised(error.response)) | {"code": error.response["Error"]["Code"]}


def _normalised(reply: Any) -> Any:
    """A reply with its numbers as DynamoDB writes them: moto says 3.0 for the sum of 1.5 and 1.5."""
    match reply:
        case {"N": number}:
            return {"N": normal(number)}
        case dict():
            return {name: _normalised(value) for name, value in reply.items()}
        case list():
            return [_normalised(value) for value in reply]
        case _:
            return reply


def _plain(reply: dict[str, Any]) -> dict[str, Any]:
    """What a caller looks at."""
    shown: dict[str, Any] = {name: reply[name] for name in ("Attributes", "Item", "Items") if reply.get(name)}
    if "CancellationReasons" in reply:
        shown["reasons"] = [(each["Code"], each.get("Item")) for each in reply["CancellationReasons"]]
    match reply.get("Responses"):
        case dict(tables):
            shown["found"] = sorted(tables[TABLE], key=json.dumps)
        case [*parts]:
            shown["parts"] = [(part.get("Item"), part.get("Error", {}).get("Code")) for part in parts]
    return shown


@pytest.fixture(scope="module")
def moto() -> Iterator[Other]:
    with mock_aws():
        yield _with_table("http://dynamodb.us-east-1.amazonaws.com")


@pytest.fixture(scope="module")
def embedded() -> Iterator[Other]:
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
        with dynamodb("lockstep") as endpoint:
            yield _with_table(endpoint)


def _with_table(endpoint: str) -> Other:
    create_table(endpoint, TABLE)
    return Other(client(endpoint))


def by_content(item: dict[str, Any]) -> str:
    return json.dumps(item, sort_keys=True)


def _compare(other: Other, asked: list[Asked]) -> None:
    other.clear()
    table = Table()
    for operation, request in [*asked, *READS, *SCANS]:
        table, reply = answer(table, operation, request)
        code = {} if reply.status == 200 else {"code": reply.body["__type"].rpartition("#")[2]}
        theirs, ours = other.ask(operation, request), _plain(reply.body) | code
        if operation == "Scan":  # in whatever order
            theirs, ours = (said | {"Items": sorted(said.get("Items", []), key=by_content)} for said in (theirs, ours))
        assert theirs == ours, (operation, request)


@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=_courses(UPDATE_ITEM, TRANSACT, PUT, DELETE))
def test_it_answers_as_moto_does(moto: Other, asked: list[Asked]) -> None:
    """But for statements: moto says that one is done whose condition does not hold."""
    _compare(moto, asked)


@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=_courses(UPDATE_ITEM, TRANSACT, PUT, DELETE, STATEMENTS))
def test_it_answers_as_the_embedded_engine_does(embedded: Other, asked: list[Asked]) -> None:
    _compare(embedded, asked)


TWICE: Final = {"Put": {"TableName": TABLE, "Item": KEYS[0]}}


def test_a_transaction_that_is_sent_again_writes_nothing() -> None:
    request = {"TransactItems": [TWICE], "ClientRequestToken": "once"}
    written, reply = answer(Table(), "TransactWriteItems", request)
    reset = answer(written, "UpdateItem", _update(KEYS[0], ("SET #status = :s3", _values(s3="R")), None, "NONE"))[0]
    assert answer(reset, "TransactWriteItems", request) == (reset, reply)
    another = answer(
        reset, "TransactWriteItems", request | {"TransactItems": [{"Put": TWICE["Put"] | {"Item": KEYS[1]}}]}
    )
    assert another[1].body["__type"].endswith("#IdempotentParameterMismatchException")


REFUSED: Final[dict[str, Asked]] = {  # and what test_aws_limits.py lists
    "a placeholder for nothing": (
        "UpdateItem",
        {"Key": KEYS[0], "UpdateExpression": "REMOVE a", "ExpressionAttributeNames": {"#b": "b"}},
    ),
    "a change of the key": (
        "UpdateItem",
        {"Key": KEYS[0], "UpdateExpression": "SET sk = :s", "ExpressionAttributeValues": _values(s="x")},
    ),
    "what is not there": ("UpdateItem", {"Key": KEYS[0], "UpdateExpression": "SET a = b"}),
    "a consistent read of an index": (
        "Query",
        {"IndexName": "run", "ConsistentRead": True, "KeyConditionExpression": "workflow_run_id = :n"},
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_dynamodb_refuses_is_refused(case: str) -> None:
    after, reply = answer(Table(), *REFUSED[case])
    assert after == Table()
    assert (reply.status, reply.body["__type"].rpartition("#")[2]) == (400, "ValidationException")
