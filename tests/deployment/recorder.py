"""What each function asks of AWS, in the words of IAM."""

import re
import traceback
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import botocore

from local import gateway
from local.template import ROOT, Grant
from lockstep.cluster import known

_PARTS: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
"""What a part of TransactWriteItems is authorised as."""
_PARTIQL: Final = {
    "SELECT": "PartiQLSelect",
    "INSERT": "PartiQLInsert",
    "UPDATE": "PartiQLUpdate",
    "DELETE": "PartiQLDelete",
}
_TABLE: Final = re.compile(r'"(?P<table>[^"]+)"(?:\."(?P<index>[^"]+)")?')
_NAMED_BY: Final = {"secretsmanager": "SecretId"}
"""The parameter that says what a service is to act on."""
UNKNOWN: Final = "?"
LAYER: Final = ROOT / "shared/lockstep"


def needed(service: str, operation: str, params: dict[str, Any]) -> set[Grant]:
    """What a caller must be allowed to do for one request."""
    if service == "dynamodb":
        return {Grant(f"dynamodb:{action}", on) for action, on in _of_dynamodb(operation, params)}
    return {Grant(f"{service}:{operation}", params.get(_NAMED_BY.get(service, UNKNOWN), UNKNOWN))}


def _of_dynamodb(operation: str, params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    match operation:
        case "TransactWriteItems":
            yield from _of_parts(params["TransactItems"])
        case "TransactGetItems":
            yield from (("GetItem", part["Get"]["TableName"]) for part in params["TransactItems"])
        case "BatchGetItem" | "BatchWriteItem":
            yield from ((operation, table) for table in params["RequestItems"])
        case "BatchExecuteStatement" | "ExecuteTransaction" | "ExecuteStatement":
            statements = params.get("Statements") or params.get("TransactStatements") or [params]
            yield from (_of_statement(statement["Statement"]) for statement in statements)
        case _:
            yield operation, _part(params.get("TableName", UNKNOWN), params.get("IndexName"))


def _of_parts(parts: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for part in parts:
        for kind, action in part.items():
            yield _PARTS[kind], action["TableName"]


def _of_statement(statement: str) -> tuple[str, str]:
    """The verb comes first and then the table, but for SELECT, where the table comes after FROM."""
    verb = statement.split(maxsplit=1)[0].upper()
    behind = re.split(r"\bFROM\b", statement, maxsplit=1, flags=re.IGNORECASE)[1] if verb == "SELECT" else statement
    found = _TABLE.search(behind)
    assert found, statement
    return _PARTIQL[verb], _part(found["table"], found["index"])


def _part(table: str, index: str | None) -> str:
    return f"{table}/index/{index}" if index else table


class Recorder:
    """Hears every request of every client that is made after it. One function is called at a time.

    What a function's threads ask is asked by the function.
    """

    def __init__(self) -> None:
        self.seen: dict[str, set[Grant]] = defaultdict(set)
        self.places: set[tuple[str, int]] = set()
        """Files and lines of the layer that a request came through."""
        self._function: str | None = None
        botocore.register_initializer(lambda session: session.register("before-parameter-build", self._hear))

    def invoke(self, handler: gateway.Handler, wire: str, name: str) -> str:
        """gateway.invoke, listening. A function may be called while another one waits in the middle of a request.

        It finds nothing of the clusters that another one has read: deployed, each has a process of its own.
        """
        known.forget()
        waiting, self._function = self._function, name
        self.seen[name] |= set()
        try:
            return _invoke(handler, wire, name)
        finally:
            self._function = waiting

    def _hear(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if self._function:
            self.seen[self._function] |= needed(model.service_model.signing_name, model.name, params)
            passed = ((Path(frame.f_code.co_filename), line) for frame, line in traceback.walk_stack(None))
            self.places |= {(str(file.relative_to(LAYER)), line) for file, line in passed if file.is_relative_to(LAYER)}


_invoke: Final = gateway.invoke
"""As it is before anybody puts a recorder in its place."""
