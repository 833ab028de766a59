"""Call a route's function for an API Gateway event, and return its reply. Errors are caught here, and only here."""

import logging
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from pydantic import BaseModel

from lockstep import context, imported, observability
from lockstep.access.caller import check_caller, check_site
from lockstep.clock import Deadline
from lockstep.context import RequestContext
from lockstep.errors import LockstepError
from lockstep.http import reply
from lockstep.http.reply import Answer, HtmlPage
from lockstep.http.request import Event, parse_body, parse_path, parse_query
from lockstep.observability import count, logger
from lockstep.routes import Route, route

LambdaHandler = Callable[[Event, Any], dict[str, Any]]
Parser = Callable[[Event, Any], BaseModel]
_PARSERS: Final[Mapping[str, Parser]] = {"path": parse_path, "query": parse_query, "body": parse_body}


def endpoint(name: str) -> Callable[[Callable[..., BaseModel | HtmlPage]], LambdaHandler]:
    """Make a Lambda handler for API Gateway proxy events of a function that serves the named row of lockstep.routes.

    The function takes any of `path`, `query` and `body`, each annotated with the pydantic model that it is validated
    against. Each outcome is a reply: the function's result as JSON (or an HtmlPage as it is), a problem document (RFC
    9457) for what errors.py names, and for any other exception a 500 whose cause is in the log.
    """
    imported()
    row = route(name)

    def decorate(function: Callable[..., BaseModel | HtmlPage]) -> LambdaHandler:
        models = {part: (_PARSERS[part], model) for part, model in function.__annotations__.items() if part != "return"}

        def call(event: Event) -> BaseModel | HtmlPage:
            return function(**_parse(event, models))

        @wraps(function)
        def lambda_handler(event: Event, lambda_context: Any) -> dict[str, Any]:
            gateway = event.get("requestContext") or {}
            authorizer = gateway.get("authorizer") or {}
            request = RequestContext(
                Deadline(row.budget),
                only_run=context.run_allowed_by(authorizer),
                token=context.token_of(authorizer),
            )
            return context.run_in(request, _reply_to, row, call, event, lambda_context)

        return lambda_handler

    return decorate


def _parse(event: Event, models: Mapping[str, tuple[Parser, Any]]) -> dict[str, Any]:
    """The parts of the request that the function takes, validated. The path's facts go to the log."""
    parts: dict[str, Any] = {}
    for part, (parse, model) in models.items():
        parts[part] = parse(event, model)
        if part == "path":
            observability.bind(**parts[part].facts())
    return parts


def _reply_to(
    row: Route, call: Callable[[Event], BaseModel | HtmlPage], event: Event, lambda_context: Any
) -> dict[str, Any]:
    began = time.perf_counter()
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    observability.bind(**_facts(row, event, headers, lambda_context))
    answer = _answer(row, call, event, headers)
    observability.write_line(
        "%s %s",
        event["httpMethod"],
        event["path"],
        level=logging.WARNING if answer.status >= reply.DEFECT else logging.INFO,
        status=answer.status,
        seconds=round(time.perf_counter() - began, 4),
        why=answer.why,
    )
    return reply.for_gateway(answer)


def _facts(row: Route, event: Event, headers: Mapping[str, str], lambda_context: Any) -> dict[str, object]:
    """The log fields of a request before it is served. A caller's fields never replace those of API Gateway."""
    gateway = event.get("requestContext") or {}
    authorizer = gateway.get("authorizer") or {}
    return {
        **observability.caller_context(headers),
        **(event.get("pathParameters") or {}),
        "route": row.resource,
        "request_id": getattr(lambda_context, "aws_request_id", None),
        "gateway_request_id": gateway.get("requestId"),
        "caller": authorizer.get("principalId") or (gateway.get("identity") or {}).get("userArn"),
    }


def _answer(
    row: Route, call: Callable[[Event], BaseModel | HtmlPage], event: Event, headers: Mapping[str, str]
) -> Answer:
    try:
        check_caller(row, event.get("requestContext") or {})
        check_site(event["httpMethod"], headers)
        return reply.of_result(call(event))
    except LockstepError as error:
        count(f"Failed.{type(error).__name__.removesuffix('Error')}")
        return reply.of_error(error)
    except Exception:  # noqa: BLE001  # the edge: the one place where nothing may pass
        count("Failed.Defect")
        logger.exception("unhandled exception")
        return reply.of_defect()
