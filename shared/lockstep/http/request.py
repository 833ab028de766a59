"""An API Gateway event as the values of a route's models: path, query and body."""

import base64
import json
import os
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lockstep import text
from lockstep.errors import BadRequestError, FieldError, InvalidError, TooLargeError

M = TypeVar("M", bound=BaseModel)

Event = dict[str, Any]

MAX_BODY_BYTES: Final = int(os.environ.get("MAX_BODY_BYTES", "4600000"))
"""Of a request's body. API Gateway sends it in base64, four bytes for three, whatever it holds: 4,600,000 bytes take
6,133,336 of the 6,291,456 that Lambda takes. The 158,120 left are for the rest of the event: request line and headers,
of 10,240 bytes at most, are in it up to four times, and escapes may treble them.
"""


def parse_path(event: Event, model: type[M]) -> M:
    """The path's parameters.

    Raises:
        InvalidError: a parameter does not fit.
    """
    return _validate(model, event.get("pathParameters") or {}, "path")


def parse_query(event: Event, model: type[M]) -> M:
    """The query's parameters. A parameter of a list type may be repeated; any other must be given once.

    Raises:
        InvalidError: a parameter does not fit, is missing or is repeated.
    """
    sent: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {}
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key not in sent:
            continue
        if _is_list(field.annotation):
            values[key] = sent[key]
        elif len(sent[key]) > 1:
            raise InvalidError([FieldError(key, "must be given once")])
        else:
            values[key] = sent[key][0]
    return _validate(model, values, "query")


def _is_list(annotation: Any) -> bool:
    """Whether a parameter is a list, or `list | None`."""
    return typing.get_origin(annotation) is list or any(_is_list(each) for each in typing.get_args(annotation))


def parse_body(event: Event, model: type[M]) -> M:
    """The body's fields.

    Raises:
        BadRequestError: the body is not JSON.
        TooLargeError: it takes more than MAX_BODY_BYTES.
        InvalidError: a field does not fit.
    """
    raw: str | bytes = event.get("body") or ""
    if event.get("isBase64Encoded"):
        raw = base64.b64decode(raw)
    if not (len(raw) <= MAX_BODY_BYTES if isinstance(raw, bytes) else text.fits(raw, MAX_BODY_BYTES)):
        raise TooLargeError(f"the body takes more than {MAX_BODY_BYTES} bytes")
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        found = _errors(error)
        if found[0]["type"] != "json_invalid":
            raise InvalidError(_fields(found, "body")) from error
    return _validate(model, _parse_lenient(raw), "body")


def _parse_lenient(raw: str | bytes) -> Any:
    """Parse JSON as Python does: it reads lone surrogates, which pydantic's parser refuses."""
    try:
        return json.loads(raw.decode() if isinstance(raw, bytes) else raw)  # bytes may be UTF-8 without a mark only
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is not JSON: {error}") from error


def _validate(model: type[M], values: Any, where: str) -> M:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InvalidError(_fields(_errors(error), where)) from error


def _errors(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_input=False, include_context=False)


def _fields(found: Sequence[ErrorDetails], where: str) -> list[FieldError]:
    return [FieldError(_name(details, where), details["msg"]) for details in found]


def _name(details: ErrorDetails, where: str) -> str:
    return ".".join(map(str, details["loc"])) or where
