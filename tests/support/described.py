"""What docs/openapi.json says of an operation, as validators."""

import json
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator

from local.document import OPENAPI

DOCUMENT: Final = json.loads(OPENAPI.read_text(encoding="utf-8"))
OPERATIONS: Final = {
    operation["operationId"]: operation for methods in DOCUMENT["paths"].values() for operation in methods.values()
}


def _operation(name: str) -> dict[str, Any]:
    assert name in OPERATIONS, f"docs/openapi.json lacks {name}: run `make docs`"
    operation: dict[str, Any] = OPERATIONS[name]
    return operation


@cache
def request(name: str) -> Draft202012Validator:
    """Of an operation's body."""
    return _validator(_operation(name)["requestBody"])


@cache
def reply(name: str, status: int) -> Draft202012Validator:
    """Of what an operation answers with a status. KeyError: it never does, the document says."""
    answer = _operation(name)["responses"][str(status)]
    if reference := answer.get("$ref"):
        answer = DOCUMENT["components"]["responses"][reference.rpartition("/")[2]]
    return _validator(answer)


def example(holder: dict[str, Any]) -> Any:
    """Of a body."""
    [content] = holder["content"].values()
    return content["example"]


def parameter(described: dict[str, Any]) -> Draft202012Validator:
    """Of one parameter of a path or a query."""
    return Draft202012Validator(described["schema"] | {"components": DOCUMENT["components"]})


def _validator(holder: dict[str, Any]) -> Draft202012Validator:
    [content] = holder["content"].values()
    return parameter(content)
