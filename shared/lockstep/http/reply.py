"""Turn a route's result or error into an API Gateway reply."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from lockstep.errors import LockstepError, ReplyTooLargeError

R = TypeVar("R")

_JSON: Final[Mapping[str, str]] = {"Content-Type": "application/json"}
DEFECT: Final = HTTPStatus.INTERNAL_SERVER_ERROR.value
MAX_INVOCATION_BYTES: Final = 6_291_456
"""The largest event and the largest reply of a Lambda function that is called synchronously, as JSON."""
MAX_REPLY_BYTES: Final = MAX_INVOCATION_BYTES - 1_000
"""The most that a body may take as `carried` counts. The rest is for the status and the headers."""
_MOST_CARRIED: Final = 14
"""More bytes than carry one character of a body."""
_BESIDE_ROWS: Final = 100
"""More bytes than a reply takes beside the rows that it lists."""
_REPLACEMENT: Final = "\ufffd"


class Answer(NamedTuple):
    """The answer to a request."""

    status: int
    body: str
    why: str | None = None
    """The error; None if there was none."""
    headers: Mapping[str, str] = _JSON


class HtmlPage(NamedTuple):
    """A page for a browser."""

    html: str
    headers: Mapping[str, str]
    """Beside Content-Type."""


def of_result(result: BaseModel | HtmlPage) -> Answer:
    """Answer 200 with a route's result.

    Raises:
        ReplyTooLargeError: Lambda does not carry it. A route bounds its own replies, so this is a defect.
    """
    if isinstance(result, HtmlPage):
        headers = {"Content-Type": "text/html; charset=utf-8", **result.headers}
        return Answer(HTTPStatus.OK.value, result.html, headers=headers)
    body = as_json(result)
    if not fits(body):
        raise ReplyTooLargeError(f"the reply takes {carried(body)} bytes; Lambda carries {MAX_REPLY_BYTES}")
    return Answer(HTTPStatus.OK.value, body)


def of_error(error: LockstepError) -> Answer:
    """Answer with a problem document (RFC 9457)."""
    return Answer(error.status.value, json.dumps(error.problem()), str(error))


def of_defect() -> Answer:
    """Answer 500; the log has the cause."""
    return Answer(DEFECT, json.dumps(LockstepError("Lockstep has a defect here; its log names it").problem()))


def as_json(result: BaseModel) -> str:
    """Serialize as pydantic does, or where it cannot, as Python does: text with lone surrogates.

    Pydantic refuses a lone surrogate in a value, but writes replacement characters for one in a key.
    """
    try:
        written = result.model_dump_json()
    except PydanticSerializationError:
        written = _REPLACEMENT
    return json.dumps(result.model_dump()) if _REPLACEMENT in written else written


def carried(body: str) -> int:
    r"""The bytes that a body takes in a function's reply, which is JSON around the body, so escaped a second time.

    Lambda's runtime client writes ASCII, or since Python 3.12 UTF-8. This counts ASCII, which is never less.

    >>> carried('{"a": "\\n"}'), carried("é")
    (16, 6)
    """
    return len(json.dumps(body)) - 2


def carried_as_json(value: object) -> int:
    """The most bytes that a value takes in a function's reply.

    >>> carried_as_json('"'), carried_as_json([1, 2])
    (8, 6)
    """
    return carried(json.dumps(value))


def first_that_fit(rows: Iterable[R]) -> list[R]:
    """The first rows, as many as one reply carries: an object with a list of them, and little else."""
    room = MAX_REPLY_BYTES - _BESIDE_ROWS
    kept: list[R] = []
    for row in rows:
        room -= carried_as_json([row])
        if room < 0:
            break
        kept.append(row)
    return kept


def fits(body: str) -> bool:
    """Whether a body is small enough for Lambda. A short one is not measured."""
    return len(body) * _MOST_CARRIED <= MAX_REPLY_BYTES or carried(body) <= MAX_REPLY_BYTES


def for_gateway(answer: Answer) -> dict[str, Any]:
    """The reply as API Gateway's proxy integration wants it."""
    return {
        "statusCode": answer.status,
        "headers": dict(answer.headers),
        "body": answer.body,
        "isBase64Encoded": False,
    }
