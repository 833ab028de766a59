"""A route's result, or what went wrong, as an API Gateway reply."""

import json
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from lockstep.errors import LockstepError

DEFECT: Final = HTTPStatus.INTERNAL_SERVER_ERROR.value
_REPLACEMENT: Final = "\ufffd"


class Answer(NamedTuple):
    """What a request is answered."""

    status: int
    body: str
    """JSON."""
    why: str | None = None
    """What went wrong; None where nothing did."""


def of_result(result: BaseModel) -> Answer:
    """Answer 200 with a route's result."""
    return Answer(HTTPStatus.OK.value, as_json(result))


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


def for_gateway(answer: Answer) -> dict[str, Any]:
    """The reply as API Gateway's proxy integration wants it."""
    return {
        "statusCode": answer.status,
        "headers": {"Content-Type": "application/json"},
        "body": answer.body,
        "isBase64Encoded": False,
    }
