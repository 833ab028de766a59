"""From an API Gateway event to a route's function and back. What can go wrong is answered here, and only here."""

import base64
import json
import logging
import os
import time
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticSerializationError

from lockstep import imported, keys, observability, text
from lockstep.caller import calls, check_scope
from lockstep.errors import BadRequestError, FieldError, InvalidError, LockstepError, TooLargeError
from lockstep.observability import caller_context, count, logger

P = TypeVar("P", bound=BaseModel)
B = TypeVar("B", bound=BaseModel)

OK: Final = HTTPStatus.OK.value
DEFECT: Final = HTTPStatus.INTERNAL_SERVER_ERROR.value
MAX_FIELDS: Final = 20
"""That a reply names; a body may have a great many that do not fit."""
MAX_NAME: Final = 200
MAX_BODY_BYTES: Final = int(os.environ.get("MAX_BODY_BYTES", "6000000"))
"""Of a request's body. API Gateway's own limit is 10 MB, Lambda's 6 MB with headers and escapes."""
MAX_DIGITS: Final = 20
"""Of an id in a path that is looked at for the log."""

Event = dict[str, Any]
Answer = tuple[int, str, str | None]
"""Status and body of a reply, and why it is not a 200."""
LambdaHandler = Callable[[Event, Any], dict[str, Any]]


def endpoint(path: type[P], body: type[B]) -> Callable[[Callable[[P, B], BaseModel]], LambdaHandler]:
    """A Lambda handler for an API Gateway proxy event, made of a function of the validated path and body.

    Every outcome is a reply in application/json: a problem document (RFC 9457) for what errors.py names, and
    for a defect of ours a 500 whose cause is in the log. A body of no fields is not looked at.
    """
    imported()

    def decorate(route: Callable[[P, B], BaseModel]) -> LambdaHandler:
        @wraps(route)
        def lambda_handler(event: Event, context: Any) -> dict[str, Any]:
            return observability.observed(_serve, event, context, lambda: _answer(route, event, path, body))

        return lambda_handler

    return decorate


def _serve(event: Event, context: Any, answer: Callable[[], Answer]) -> dict[str, Any]:
    began = time.perf_counter()
    gateway = event.get("requestContext") or {}
    authorizer = gateway.get("authorizer") or {}
    calls(authorizer)
    observability.known(**_facts(event, context, gateway, authorizer))
    status, reply, why = answer()
    observability.report(
        "%s %s",
        event["httpMethod"],
        event["path"],
        level=logging.WARNING if status >= DEFECT else logging.INFO,
        status=status,
        seconds=round(time.perf_counter() - began, 4),
        why=why,
    )
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": reply,
        "isBase64Encoded": False,
    }


def _facts(event: Event, context: Any, gateway: Event, authorizer: dict[str, Any]) -> dict[str, object]:
    """What is known of a request before it is served. What we know goes before what the caller says of himself."""
    ids: dict[str, str] = event.get("pathParameters") or {}
    return {
        **caller_context(event.get("headers") or {}),
        **_task_id(ids.get("task_instance_id", "")),
        **ids,
        "route": event["resource"],
        "request_id": getattr(context, "aws_request_id", None),
        "gateway_request_id": gateway.get("requestId"),
        "caller": authorizer.get("principalId") or (gateway.get("identity") or {}).get("userArn"),
    }


def _task_id(task_instance_id: str) -> dict[str, int]:
    if len(task_instance_id) > MAX_DIGITS or not (task_instance_id.isascii() and task_instance_id.isdigit()):
        return {}
    key = keys.split_task_instance_id(int(task_instance_id))
    return {"task_id": key.task_id} if key else {}


def _answer(route: Callable[[P, B], BaseModel], event: Event, path: type[P], body: type[B]) -> Answer:
    try:
        check_scope(event["httpMethod"], event["resource"])
        reply = route(_parse_path(event, path), _parse_body(event, body))
    except LockstepError as error:
        count(f"Failed.{type(error).__name__.removesuffix('Error')}")
        return error.status.value, json.dumps(error.problem()), str(error)
    except Exception:  # noqa: BLE001  # the edge: the one place where nothing may pass
        count("Failed.Defect")
        logger.exception("a defect of ours")
        return (
            DEFECT,
            json.dumps(LockstepError("a defect of ours; it is in the log").problem()),
            None,
        )
    return OK, _as_json(reply), None


def _as_json(reply: BaseModel) -> str:
    """As pydantic writes it, or where it cannot, as Python does: a lone surrogate.

    Pydantic refuses one in a value, but in a key it writes replacement characters instead.
    """
    try:
        written = reply.model_dump_json()
    except PydanticSerializationError:
        written = _REPLACED
    return json.dumps(reply.model_dump()) if _REPLACED in written else written


_REPLACED: Final = "\ufffd"


def _parse_path(event: Event, model: type[P]) -> P:
    try:
        return model.model_validate(event.get("pathParameters") or {})
    except ValidationError as error:
        raise InvalidError(_fields(error, "path")) from error


def _parse_body(event: Event, model: type[B]) -> B:
    if not model.model_fields:
        return model()
    raw: str | bytes = event.get("body") or ""
    if event.get("isBase64Encoded"):
        raw = base64.b64decode(raw)
    if not (len(raw) <= MAX_BODY_BYTES if isinstance(raw, bytes) else text.fits(raw, MAX_BODY_BYTES)):
        raise TooLargeError(f"the body takes more than {MAX_BODY_BYTES} bytes")
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        if error.errors()[0]["type"] != "json_invalid":
            raise InvalidError(_fields(error, "body")) from error
    return _parse_lenient(raw, model)


def _parse_lenient(raw: str | bytes, model: type[B]) -> B:
    """As Python reads JSON: it knows lone surrogates, which pydantic's parser refuses."""
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"the body is not JSON: {error}") from error
    try:
        return model.model_validate(parsed)
    except ValidationError as error:
        raise InvalidError(_fields(error, "body")) from error


def _fields(error: ValidationError, where: str) -> list[FieldError]:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [FieldError(_name(details, where), details["msg"][:MAX_NAME]) for details in found[:MAX_FIELDS]]


def _name(details: ErrorDetails, where: str) -> str:
    return ".".join(str(part)[:MAX_NAME] for part in details["loc"]) or where
