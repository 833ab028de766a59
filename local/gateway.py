"""A local API Gateway: an ASGI application that calls the functions with REST proxy events (payload 1.0).

It also gives API Gateway's own replies: 403 for an unknown route, 413 for a request larger than Lambda takes, 504 (or
template.yaml's status) after 29 s, 502 for an invalid reply or one larger than Lambda carries, and, if callers must
authenticate, 401 and 403 as the authorizer decides.
Events and replies pass through JSON, as on AWS. Request bodies pass in base64, because template.yaml calls them binary.
Besides the API's routes it serves USAGE_PATH, the OpenAPI document and a page that shows the document.
"""

import asyncio
import base64
import importlib
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from local import openapi
from local.authorizer import ACCOUNT_ID, API_ID, Authorizer, Denied
from local.meter import Meter
from local.pages import DOCUMENT_PATH, PAGE_PATH, page
from local.template import ROOT, Template
from lockstep.http.reply import MAX_INVOCATION_BYTES
from lockstep.observability import logger
from lockstep.routes import ROUTES, Route, find

MAX_BODY_BYTES: Final = 10 * 1024 * 1024
"""API Gateway's own limit. Lambda's is smaller (MAX_INVOCATION_BYTES)."""
TIMEOUT_SECONDS: Final = 29.0
THREADS: Final = 48
USAGE_PATH: Final = "/_local/usage"

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

log = logging.getLogger(__name__)


class Reply(NamedTuple):
    """An HTTP reply."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    why: str = ""
    """Why the gateway itself answers. A function logs its own replies."""


class Context(NamedTuple):
    """The part of Lambda's context object that functions read."""

    aws_request_id: str
    function_name: str
    function_version: str = "$LATEST"
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:local"
    memory_limit_in_mb: int = 512


class GoneError(Exception):
    """The client disconnected before its request was complete."""


class TooLargeError(Exception):
    """A request's body is larger than API Gateway's limit."""


class Gateway:
    """The ASGI application. It imports the handlers when it is created, so that the first request is not slower."""

    def __init__(self, meter: Meter, timeout: float = TIMEOUT_SECONDS, *, authenticates: bool = False) -> None:
        self._template = Template()
        self._meter = meter
        self._timeout = timeout
        self._handlers = load_handlers()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="lambda")
        self._authorizer = self._load_authorizer() if authenticates else None

    def _load_authorizer(self) -> Authorizer:
        settings = self._template.authorizer
        return Authorizer(load_handler(settings.name), settings.expression, settings.cache_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; this is the ASGI entry point."""
        if scope["type"] != "http":
            raise RuntimeError("the gateway speaks HTTP only")
        try:
            reply = await self._reply(scope, receive)
        except GoneError:
            return
        if reply.why:
            logger.info("%s %s", scope["method"], scope["path"], extra={"status": reply.status, "why": reply.why})
        headers = [(name.encode(), value.encode()) for name, value in reply.headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(self, scope: Scope, receive: Receive) -> Reply:
        try:
            body = await _read_body(receive)
        except TooLargeError:
            return self._gateway_response("REQUEST_TOO_LARGE", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Too Long")
        if local := self._local_route(scope):
            return local
        path = self._without_stage(scope["path"])
        if found := find(scope["method"], path):
            route, parameters = found
            event = _event(scope, path, body, route, parameters, self._template.stage)
            return await self._authorize_and_invoke(route, event)
        unknown = self._gateway_response(
            "MISSING_AUTHENTICATION_TOKEN", HTTPStatus.FORBIDDEN, "Missing Authentication Token"
        )
        return unknown if self._authorizer else _no_such_route(scope)

    def _local_route(self, scope: Scope) -> Reply | None:
        """Reply to a path that only this gateway serves."""
        if scope["path"] == USAGE_PATH:
            return _json(HTTPStatus.OK, self._meter.usage())
        if scope["method"] != "GET":
            return None
        if scope["path"] == DOCUMENT_PATH:
            operations = [openapi.operation(route, self._handlers[route.name]) for route in ROUTES]
            return _json(HTTPStatus.OK, openapi.document(operations, {"url": "/"}))
        shown = page(scope["path"])
        return shown and _raw(HTTPStatus.OK, shown.media_type, shown.content)

    def _without_stage(self, path: str) -> str:
        return path.removeprefix(f"/{self._template.stage}") or "/"

    async def _authorize_and_invoke(self, route: Route, event: dict[str, Any]) -> Reply:
        if self._authorizer:
            headers = event["headers"] or {}
            called = headers.get("authorization"), self._template.stage, route.method, event["path"]
            loop = asyncio.get_running_loop()
            try:
                caller = await loop.run_in_executor(self._threads, self._authorizer.context, *called)
            except Denied as denied:
                if denied.kind == "AUTHORIZER_FAILURE":
                    log.exception("the authorizer failed")
                return self._gateway_response(denied.kind, HTTPStatus.INTERNAL_SERVER_ERROR, "")
            event["requestContext"]["authorizer"] = caller
        return await self._invoke(route, event)

    async def _invoke(self, route: Route, event: dict[str, Any]) -> Reply:
        wire = json.dumps(event)
        if len(wire) > MAX_INVOCATION_BYTES:
            return self._gateway_response("REQUEST_TOO_LARGE", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Request Too Long")
        self._meter.count_request()
        loop = asyncio.get_running_loop()
        call = loop.run_in_executor(self._threads, invoke, self._handlers[route.name], wire, route.name)
        try:
            reply = await asyncio.wait_for(asyncio.shield(call), self._timeout)
            if len(reply) > MAX_INVOCATION_BYTES:
                raise ValueError(f"the reply has {len(reply)} bytes; Lambda allows {MAX_INVOCATION_BYTES}")
            return _from_lambda(json.loads(reply))
        except TimeoutError:
            return self._gateway_response(
                "INTEGRATION_TIMEOUT", HTTPStatus.GATEWAY_TIMEOUT, "Endpoint request timed out"
            )
        except Exception:
            log.exception("%s failed or returned an invalid reply", route.name)
            return self._gateway_response("DEFAULT_5XX", HTTPStatus.BAD_GATEWAY, "Internal server error")

    def _gateway_response(self, kind: str, status: HTTPStatus, message: str) -> Reply:
        """Reply as template.yaml declares for this kind, or else with this status and message."""
        declared = self._template.gateway_response(kind)
        if declared:
            body = declared.render(message).encode()
            return Reply(declared.status, list(declared.headers.items()), body, kind)
        return _json(status, {"message": message})._replace(why=kind)


def _no_such_route(scope: Scope) -> Reply:
    """Say what a deployment, which answers 403 too, cannot tell from a request that is not signed."""
    why = f"no route is {scope['method']} {scope['path']}: {PAGE_PATH} lists all routes"
    body = {"type": "about:blank", "title": "Forbidden", "status": HTTPStatus.FORBIDDEN, "detail": why}
    return _raw(HTTPStatus.FORBIDDEN, "application/json", json.dumps(body).encode())._replace(why=why)


def load_handlers() -> dict[str, Handler]:
    """Import the handlers of all routes, and return them by the routes' names."""
    return {route.name: load_handler(route.name) for route in ROUTES}


def load_handler(name: str) -> Handler:
    """Import the handler of a function, given the name of its folder."""
    module, _, attribute = Template().handler.rpartition(".")
    [folder] = (ROOT / "functions").glob(f"*/{name}")
    handler: Handler = getattr(importlib.import_module(f"functions.{folder.parent.name}.{name}.{module}"), attribute)
    return handler


def invoke(handler: Handler, wire: str, name: str) -> str:
    """Call a handler as Lambda does, with JSON for the event and the reply."""
    return json.dumps(handler(json.loads(wire), Context(str(uuid.uuid4()), name)))


async def _read_body(receive: Receive) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise TooLargeError
        more = message.get("more_body", False)
    return body


def _event(
    scope: Scope, path: str, body: bytes, route: Route, parameters: dict[str, str], stage: str
) -> dict[str, Any]:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    now = time.time()
    return {
        "resource": route.resource,
        "path": path,
        "httpMethod": scope["method"],
        "headers": dict(headers) or None,
        "multiValueHeaders": _grouped(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query),
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT_ID,
            "apiId": API_ID,
            "httpMethod": scope["method"],
            "identity": {
                "sourceIp": (scope.get("client") or ["127.0.0.1"])[0],
                "userAgent": dict(headers).get("user-agent"),
            },
            "path": scope["path"],
            "protocol": f"HTTP/{scope['http_version']}",
            "requestId": str(uuid.uuid4()),
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "requestTimeEpoch": int(now * 1000),
            "resourcePath": route.resource,
            "stage": stage,
        },
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]] | None:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped or None


def _from_lambda(reply: dict[str, Any]) -> Reply:
    body = reply.get("body") or ""
    many = reply.get("multiValueHeaders") or {}
    headers = [(name.lower(), str(value)) for name, value in (reply.get("headers") or {}).items() if name not in many]
    headers += [(name.lower(), str(value)) for name, values in many.items() for value in values]
    raw = base64.b64decode(body) if reply.get("isBase64Encoded") else body.encode()
    return Reply(int(reply["statusCode"]), [*headers, ("content-length", str(len(raw)))], raw)


def _json(status: HTTPStatus, body: object) -> Reply:
    return _raw(status, "application/json", json.dumps(body).encode())


def _raw(status: HTTPStatus, media_type: str, body: bytes) -> Reply:
    return Reply(status, [("content-type", media_type), ("content-length", str(len(body)))], body)
