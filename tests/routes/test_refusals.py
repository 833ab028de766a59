"""Every route, asked what fits nowhere: its refusal names at most 20 fields, and reply and log line are small.

The largest replies to what fits are in test_sizes.py.
"""

import importlib
import json
import logging
from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any, Final

import pytest

from local import gateway
from lockstep.errors import MAX_FIELDS
from lockstep.http.reply import carried
from lockstep.log_format import MAX_LINE_BYTES, LogFormat
from lockstep.observability import logger
from lockstep.routes import ROUTES, Route

pytestmark = pytest.mark.usefixtures("table_in_memory")

MOST_CARRIED: Final = 200_000
"""The bytes of a refusal, as Lambda carries it."""
GROWS: Final = "\x00"
WORDS: Final = GROWS * 80_000
MEMBERS: Final[list[Any]] = [[{}], {"x": WORDS[:100]}, None, "x"] * 5_000
NAMED: Final[dict[str, list[Any]]] = {f"{number:04d}{GROWS * 250}": [] for number in range(1_000)}
LONG_PATH: Final = "x" * 2_000
"""API Gateway takes a line of 10,240 bytes."""
FIT: Final = "1"


@pytest.fixture
def lines() -> Iterator[StringIO]:
    """The log of this process's functions."""
    written = StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(LogFormat("lockstep"))
    log = logging.getLogger(logger.name)
    others, level = log.handlers, log.level
    log.handlers = [handler]
    log.setLevel("INFO")
    yield written
    log.handlers = others
    log.setLevel(level)


def models(row: Route) -> dict[str, Any]:
    module = importlib.import_module(f"functions.{row.aggregate}.{row.name}.app")
    return {
        part: model for part, model in module.lambda_handler.__wrapped__.__annotations__.items() if part != "return"
    }


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


def requests_to(row: Route) -> Iterator[dict[str, Any]]:
    """Requests of which the path, the query or the body is as wrong as may be."""
    parts = models(row)
    fits = dict.fromkeys(row.parameters, FIT)
    yield {"pathParameters": dict.fromkeys(row.parameters, LONG_PATH)}
    if "query" in parts:
        names = [field.alias or name for name, field in parts["query"].model_fields.items()]
        yield {"pathParameters": fits, "multiValueQueryStringParameters": {name: ["x"] * 1_000 for name in names}}
    if "body" in parts:
        yield {"pathParameters": fits, "body": json.dumps(worst_body(parts["body"]))}


@pytest.mark.parametrize("row", [row for row in ROUTES if row.name != "show_page"], ids=lambda row: row.name)
def test_what_fits_nowhere_is_answered_in_few_words(row: Route, lines: StringIO) -> None:
    handler = gateway.load_handler(row.name)
    for request in requests_to(row):
        event = {"httpMethod": row.method, "path": row.resource, "requestContext": {}, **request}
        answer = json.loads(gateway.invoke(handler, json.dumps(event), row.name))
        assert answer["statusCode"] < 500
        assert carried(answer["body"]) <= MOST_CARRIED
        assert len(json.loads(answer["body"]).get("errors", [])) <= MAX_FIELDS
    written = lines.getvalue().splitlines()
    assert len(written) >= 1
    assert max(len(line.encode()) for line in written) <= MAX_LINE_BYTES
