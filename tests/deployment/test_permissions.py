"""Every function may do what it does and nothing else: what it is granted is what its code was seen to ask for."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from local.engine import ENDPOINT_VARIABLE
from local.template import ROOT, Grant, Template
from tests.deployment.drive import ENVIRONMENT
from tests.deployment.recorder import LAYER, needed
from tests.deployment.transformed import transform

FUNCTIONS: Final = transform({})[0].functions
OF_THE_RUNTIME: Final = frozenset({"logs:CreateLogStream", "logs:PutLogEvents"})
"""Lambda itself does these under a function's role."""
ASKING: Final = frozenset(
    {"reach", "transact", "fetch", "fetch_at_once", "fetch_present", "put_many", "put_new", "query", "update"}
)
"""The layer's ways to the table."""
Seen = dict[str, set[Grant]]


@pytest.fixture(scope="module")
def driven() -> dict[str, Any]:
    """What tests/deployment/drive.py saw."""
    environment = {name: value for name, value in os.environ.items() if name != ENDPOINT_VARIABLE}
    drive = subprocess.run(
        [sys.executable, "-m", "tests.deployment.drive"],
        cwd=ROOT,
        env=environment | ENVIRONMENT | {"PYTHONPATH": os.pathsep.join((".", "shared"))},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    saw: dict[str, Any] = json.loads(drive.stdout)
    return saw


@pytest.fixture(scope="module")
def seen(driven: dict[str, Any]) -> Seen:
    """What each function asked for."""
    return {function: {Grant(*grant) for grant in grants} for function, grants in driven["seen"].items()}


def granted(function: str) -> set[Grant]:
    return {grant for grant in FUNCTIONS[function].role.grants if grant.action not in OF_THE_RUNTIME}


def test_every_function_was_driven(seen: Seen) -> None:
    assert seen.keys() == FUNCTIONS.keys()


@pytest.mark.parametrize("module", sorted(LAYER.rglob("*.py")), ids=lambda module: str(module.relative_to(LAYER)))
def test_every_place_that_asks_was_seen_asking(driven: dict[str, Any], module: Path) -> None:
    """What is seen is all there is only if no path was left out: a place that is named here wants a scenario."""
    lines = {line for name, line in driven["places"] if name == str(module.relative_to(LAYER))}
    calls = [call for call in ast.walk(ast.parse(module.read_text(encoding="utf-8"))) if isinstance(call, ast.Call)]
    asking = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in ASKING]
    unseen = [call for call in asking if lines.isdisjoint(range(call.lineno, (call.end_lineno or call.lineno) + 1))]
    assert not [f"{module.name}:{call.lineno} {ast.unparse(call)}" for call in unseen]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_may_do_all_that_it_does(seen: Seen, function: str) -> None:
    assert not in_words(seen[function] - granted(function)), f"{function} asks for it and may not"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_does_all_that_it_may_do(seen: Seen, function: str) -> None:
    assert not in_words(granted(function) - seen[function]), f"{function} may and never asks for it"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_document_is_of_what_is_deployed(function: str) -> None:
    assert Template().grants[function] == FUNCTIONS[function].role.grants


def in_words(grants: set[Grant]) -> list[str]:
    return [f"{grant.action} on {grant.on}" for grant in sorted(grants)]


AUTHORISED: Final[dict[str, tuple[str, str, dict[str, Any], set[Grant]]]] = {
    "a transaction, by its parts": (
        "dynamodb",
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Put": {"TableName": "T"}},
                {"Update": {"TableName": "T"}},
                {"Update": {"TableName": "T"}},
                {"Delete": {"TableName": "T"}},
                {"ConditionCheck": {"TableName": "U"}},
            ]
        },
        {
            Grant("dynamodb:PutItem", "T"),
            Grant("dynamodb:UpdateItem", "T"),
            Grant("dynamodb:DeleteItem", "T"),
            Grant("dynamodb:ConditionCheckItem", "U"),
        },
    ),
    "a transaction that reads": (
        "dynamodb",
        "TransactGetItems",
        {"TransactItems": [{"Get": {"TableName": "T"}}]},
        {Grant("dynamodb:GetItem", "T")},
    ),
    "statements, by their verbs": (
        "dynamodb",
        "BatchExecuteStatement",
        {
            "Statements": [
                {"Statement": 'UPDATE "T" SET "a"=? WHERE pk=?'},
                {"Statement": 'insert into "T" value {}'},
                {"Statement": 'DELETE FROM "T" WHERE pk=?'},
                {"Statement": 'SELECT "a" FROM "T"."i" WHERE pk=?'},
            ]
        },
        {
            Grant("dynamodb:PartiQLUpdate", "T"),
            Grant("dynamodb:PartiQLInsert", "T"),
            Grant("dynamodb:PartiQLDelete", "T"),
            Grant("dynamodb:PartiQLSelect", "T/index/i"),
        },
    ),
    "one statement": (
        "dynamodb",
        "ExecuteStatement",
        {"Statement": 'SELECT * FROM "T"'},
        {Grant("dynamodb:PartiQLSelect", "T")},
    ),
    "a batch, on each table": (
        "dynamodb",
        "BatchGetItem",
        {"RequestItems": {"T": {}, "U": {}}},
        {Grant("dynamodb:BatchGetItem", "T"), Grant("dynamodb:BatchGetItem", "U")},
    ),
    "a query": ("dynamodb", "Query", {"TableName": "T"}, {Grant("dynamodb:Query", "T")}),
    "a query of an index": (
        "dynamodb",
        "Query",
        {"TableName": "T", "IndexName": "i"},
        {Grant("dynamodb:Query", "T/index/i")},
    ),
    "another service": (
        "secretsmanager",
        "GetSecretValue",
        {"SecretId": "Token"},
        {Grant("secretsmanager:GetSecretValue", "Token")},
    ),
    "a service of which nobody has said what it acts on": (
        "s3",
        "GetObject",
        {"Key": "k"},
        {Grant("s3:GetObject", "?")},
    ),
}


@pytest.mark.parametrize("case", AUTHORISED)
def test_requests_in_the_words_of_iam(case: str) -> None:
    service, operation, params, grants = AUTHORISED[case]
    assert needed(service, operation, params) == grants
