"""What DynamoDB might answer, put in its mouth: the handlers of the client that all functions share."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.awsrequest import AWSRequest, AWSResponse

from lockstep.dynamodb.client import connection


@contextmanager
def answering(operation: str, *answers: Any) -> Iterator[list[Any]]:
    """DynamoDB's next answers to an operation; None lets the real one through. Yields those that are left."""
    left = list(answers)

    def answer(request: AWSRequest, **_: Any) -> AWSResponse | None:
        given = left.pop(0) if left else None
        if isinstance(given, Exception):
            raise given
        return _response(request, given) if given else None

    with listening(f"before-send.dynamodb.{operation}", answer):
        yield left


@contextmanager
def listening(event: str, handler: Callable[..., Any]) -> Iterator[None]:
    """The handler hears, and may answer, an event of the client that all functions share."""
    events = connection().client.meta.events
    events.register(event, handler)
    try:
        yield
    finally:
        events.unregister(event, handler)


def _response(request: AWSRequest, body: dict[str, Any]) -> AWSResponse:
    raw = io.BytesIO(json.dumps(body).encode())
    raw.stream = lambda **_: iter([raw.getvalue()])  # type: ignore[attr-defined]  # as urllib3's responses have it
    return AWSResponse(request.url, 400, {"content-type": "application/x-amz-json-1.0"}, raw)


def error(code: str) -> dict[str, Any]:
    return {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code}


def cancelled(*codes: str) -> dict[str, Any]:
    return error("TransactionCanceledException") | {"CancellationReasons": [{"Code": code} for code in codes]}


CONFLICT = cancelled("TransactionConflict", "None")
