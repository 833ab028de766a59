"""Every route, asked what fits nowhere: it refuses that, names at most 20 fields, and reply and log line are small.

The largest replies to what fits are in test_sizes.py.
"""

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import pytest

from local import gateway
from lockstep.errors import MAX_FIELDS
from lockstep.http.reply import carried
from lockstep.log_format import MAX_LINE_BYTES
from lockstep.routes import ROUTES, Route
from tests.support.contract import contract_of, models
from tests.support.lines import Lines

pytestmark = pytest.mark.usefixtures("table_in_memory")

MOST_CARRIED: Final = 200_000
"""The bytes of a refusal, as Lambda carries it."""
GROWS: Final = "\x00"
WORDS: Final = GROWS * 60_000
MEMBERS: Final[list[Any]] = [[{}], {"x": WORDS[:20]}, None, "x"] * 5_000
NAMED: Final[dict[str, list[Any]]] = {f"{number:04d}{GROWS * 250}": [] for number in range(1_000)}
LONG_PATH: Final = "x" * 2_000
"""API Gateway takes a line of 10,240 bytes."""
FIT: Final = "1"
OTHERWISE: Final = {
    ("get_cluster", "path"): (HTTPStatus.OK, "any text may be the name of a cluster"),
    ("get_downstream_tasks", "query"): (HTTPStatus.OK, "any text may be a version"),
    ("log_no_distributor_id", "body"): (HTTPStatus.NOT_FOUND, "any text may be a message; there is no instance"),
    ("array_log_distributor_id", "body"): (HTTPStatus.OK, "each member has its own outcome: decision 31"),
}
"""What is not refused as unfit, how it is answered, and why."""


def what_fits_nowhere(field: Mapping[str, Any]) -> Any:
    kinds = [field, *field.get("anyOf", [])]
    if any("items" in kind for kind in kinds):
        return MEMBERS
    return NAMED if any(kind.get("type") == "object" for kind in kinds) else WORDS


def worst_body(model: Any) -> Any:
    schema = model.model_json_schema()
    if "properties" not in schema:
        return NAMED
    return {name: what_fits_nowhere(field) for name, field in schema["properties"].items()}


def requests_to(row: Route) -> Iterator[tuple[str, dict[str, Any]]]:
    """Requests of which the path, the query or the body is as wrong as may be, with the name of that part."""
    parts = models(row)
    fits = {"pathParameters": dict.fromkeys(row.parameters, FIT), "body": json.dumps(contract_of(row.name).body)}
    if row.parameters:
        yield "path", fits | {"pathParameters": dict.fromkeys(row.parameters, LONG_PATH)}
    if "query" in parts:
        names = [field.alias or name for name, field in parts["query"].model_fields.items()]
        yield "query", fits | {"multiValueQueryStringParameters": {name: ["x"] * 1_000 for name in names}}
    if "body" in parts:
        yield "body", fits | {"body": json.dumps(worst_body(parts["body"]))}


TAKE_SOMETHING: Final = [row for row in ROUTES if row.parameters or models(row)]


@pytest.mark.parametrize("row", TAKE_SOMETHING, ids=lambda row: row.name)
def test_what_fits_nowhere_is_refused_in_few_words(row: Route, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = gateway.load_handler(row.name)
    lines = Lines(monkeypatch)
    for part, request in requests_to(row):
        event = {"httpMethod": row.method, "path": row.resource, "requestContext": {}, **request}
        answer = json.loads(gateway.invoke(handler, json.dumps(event), row.name))
        expected, _ = OTHERWISE.get((row.name, part), (HTTPStatus.UNPROCESSABLE_ENTITY, ""))
        assert answer["statusCode"] == expected, (part, answer["body"][:200])
        assert carried(answer["body"]) <= MOST_CARRIED
        assert len(json.loads(answer["body"]).get("errors", [])) <= MAX_FIELDS
        [line] = lines.written()
        assert len(line.encode()) <= MAX_LINE_BYTES
