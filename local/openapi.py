"""Describe the API as an OpenAPI 3.1 document, from the routes, the functions' models and docstrings, and the events.

Each operation's example is its route's event in events/, with the event's reply on a table with events/seed.json. With
this seed loaded, every example at /docs can be sent unchanged and gets a 200.
"""

import importlib
import inspect
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, Literal, NamedTuple, get_type_hints

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from local.events import EXAMPLES, body_of, cases_of, filled, read
from local.template import ROOT
from lockstep.errors import BadRequestError, InvalidError, NotFoundError, UnavailableError
from lockstep.http.reply import HtmlPage
from lockstep.http.request import parse_path, parse_query
from lockstep.routes import Route

REF_TEMPLATE: Final = "#/components/schemas/{model}"
FINDS_NOTHING_UNKNOWN: Final = frozenset(
    {
        "array_log_distributor_id",
        "fetch_workflow_metadata",
        "force_cleanup_kill_self",
        "get_cluster",
        "get_matching_workflows",
        "get_queue",
        "increase_resources",
        "most_recent_ti_error",
        "set_resume",
        "set_resume_state",
        "set_status_for_triaging",
        "sync_status",
        "terminate_task_instances",
        "transition_to_killed",
        "transition_to_launched",
    }
)
"""Functions that treat an array, run, workflow, cluster or queue that does not exist as an empty one.

get_tasks does so with a workflow, but answers 404 if its tasks are of a queue that does not exist.
"""
WITHOUT_PACKAGE: Final = {"api": "The API itself.", "page": "The page that shows what the API knows."}
"""Descriptions of the aggregates without a package in the layer. A package's docstring describes the others."""

ABOUT: Final = """\
Jobmon's task-instance state machine. A refused transition is not an error: its reply is a 200 with the current status.
Every error is a problem document (RFC 9457). After a 503, send the same request again.

Beyond the schemas, Lockstep accepts a number or a boolean as another JSON type with the same meaning (`"7"` for `7`),
and a task to bind as an object. Texts are limited by their length in UTF-8, so a `maxLength` is exact only for ASCII.
Unknown fields are ignored.

On `make run`, after `make seed FILE=events/seed.json`, every example gets the reply that is shown."""

Json = dict[str, Any]
Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
Mode = Literal["validation", "serialization"]
Schemas = Mapping[tuple[type[BaseModel], Mode], Json]
"""A JSON Schema reference for each model."""


class WrongField(BaseModel):
    """An invalid field of a request, and why it is invalid."""

    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[WrongField] = Field(default_factory=list, description="only in a 422")


class Empty(BaseModel):
    """A part of a request that a function does not read."""


class Example(NamedTuple):
    """A call that can be sent unchanged, and its reply."""

    path: Json
    query: Json
    body: Any
    reply: Any


class Operation(NamedTuple):
    """A route, the models of its request and reply, its description and an example."""

    route: Route
    path: type[BaseModel]
    query: type[BaseModel]
    body: type[BaseModel]
    reply: type[BaseModel | HtmlPage]
    description: str
    example: Example


class _Refusal(NamedTuple):
    name: str
    description: str


def _of(error: type[Exception]) -> _Refusal:
    return _Refusal(error.__name__.removesuffix("Error"), inspect.getdoc(error) or "")


REFUSALS: Final = {
    HTTPStatus.BAD_REQUEST: _of(BadRequestError),
    HTTPStatus.UNAUTHORIZED: _Refusal("Unauthorized", "The token is missing, invalid or expired."),
    HTTPStatus.FORBIDDEN: _Refusal("Forbidden", "The token does not allow this request."),
    HTTPStatus.NOT_FOUND: _of(NotFoundError),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _Refusal("TooLarge", "The request's body takes more than 4,600,000 bytes."),
    HTTPStatus.UNPROCESSABLE_ENTITY: _of(InvalidError),
    HTTPStatus.INTERNAL_SERVER_ERROR: _Refusal("Defect", "Lockstep has a defect; its log shows the error."),
    HTTPStatus.SERVICE_UNAVAILABLE: _of(UnavailableError),
}


def operation(route: Route, handler: Handler) -> Operation:
    """Describe a route by its function's annotations and docstring, with the route's event as the example."""
    declared = inspect.unwrap(handler)
    models = get_type_hints(declared)
    path, query, body = (models.get(part, Empty) for part in ("path", "query", "body"))
    example = _example(route.name, path, query)
    return Operation(route, path, query, body, models["return"], inspect.getdoc(declared) or "", example)


def _example(name: str, path: type[BaseModel], query: type[BaseModel]) -> Example:
    """Return the route's own event and its reply."""
    event = read(name)
    return Example(
        parse_path(event, path).model_dump(mode="json", by_alias=True),
        parse_query(event, query).model_dump(mode="json", by_alias=True, exclude_unset=True),
        body_of(event),
        filled(cases_of(name)[name].reply, EXAMPLES),
    )


def document(operations: Sequence[Operation], server: Json) -> Json:
    """Build the whole document. Models with the same name get distinct names."""
    schemas, components = _schemas(operations)
    paths: dict[str, Json] = {}
    for one in operations:
        paths.setdefault(one.route.resource, {})[one.route.method.lower()] = _operation(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lockstep",
            "version": tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"],
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [server],
        "security": [{"basic": []}, {"bearer": []}],
        "tags": [_tag(aggregate) for aggregate in dict.fromkeys(one.route.aggregate for one in operations)],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {one.name: _refusal(status, schemas) for status, one in REFUSALS.items()},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic", "description": "the token is the password"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def write(made: Json) -> str:
    """Format a document as docs/openapi.json has it."""
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _schemas(operations: Iterable[Operation]) -> tuple[Schemas, Json]:
    models: list[tuple[type[BaseModel], Mode]] = [(Problem, "serialization")]
    for one in operations:
        models += [(one.body, "validation")] if one.body.model_fields else []
        models += [(one.reply, "serialization")] if issubclass(one.reply, BaseModel) else []
    references, definitions = models_json_schema(models, ref_template=REF_TEMPLATE)
    return {model: references[model] for model in models}, dict(sorted(definitions["$defs"].items()))


def _tag(aggregate: str) -> Json:
    """Return an aggregate's tag with its description."""
    sentence = WITHOUT_PACKAGE.get(aggregate) or inspect.getdoc(importlib.import_module(f"lockstep.{aggregate}"))
    return {"name": aggregate, "description": sentence}


def _operation(one: Operation, schemas: Schemas) -> Json:
    made: Json = {
        "operationId": one.route.name,
        "tags": [one.route.aggregate],
        "summary": one.route.summary.removesuffix("."),
        "description": one.description,
    }
    path, query, body, reply = one.example
    parameters = [*_parameters("path", one.path, path), *_parameters("query", one.query, query)]
    if parameters:
        made["parameters"] = parameters
    if one.body.model_fields:
        made["requestBody"] = {"required": True, "content": _json(schemas[one.body, "validation"], example=body)}
    answer = {"description": inspect.getdoc(one.reply) or "", "content": _content(one.reply, reply, schemas)}
    refused = {
        str(status.value): {"$ref": f"#/components/responses/{REFUSALS[status].name}"}
        for status in _possible_refusals(one)
    }
    made["responses"] = {"200": answer} | refused
    return made


def _parameters(where: str, model: type[BaseModel], examples: Json) -> list[Json]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    required = set(schema.get("required", []))
    return [
        {"name": name, "in": where, "required": name in required, "schema": _sent(each)}
        | ({"example": examples[name]} if name in examples else {})
        for name, each in schema.get("properties", {}).items()
    ]


def _sent(schema: Json) -> Json:
    """The schema of a parameter that is sent: one that may be left out has null in the model, which nobody sends."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    sent: Json = kinds[0]
    return sent | {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}


def _possible_refusals(one: Operation) -> list[HTTPStatus]:
    """Return the error statuses that a route can reply with, in order."""
    numbered = any(field.annotation is int or field.metadata for field in one.path.model_fields.values())
    only_where = {
        HTTPStatus.BAD_REQUEST: bool(one.body.model_fields),
        HTTPStatus.NOT_FOUND: bool(one.path.model_fields) and one.route.name not in FINDS_NOTHING_UNKNOWN,
        HTTPStatus.UNPROCESSABLE_ENTITY: bool(one.body.model_fields) or bool(one.query.model_fields) or numbered,
    }
    return [status for status in REFUSALS if only_where.get(status, True)]


def _refusal(status: HTTPStatus, schemas: Schemas) -> Json:
    problem = schemas[Problem, "serialization"]
    if status is HTTPStatus.UNPROCESSABLE_ENTITY:
        problem = problem | {"required": ["errors"]}
    return {"description": REFUSALS[status].description, "content": _json(problem)}


def _content(reply: type[BaseModel | HtmlPage], example: Any, schemas: Schemas) -> Json:
    if issubclass(reply, BaseModel):
        return _json(schemas[reply, "serialization"], example=example)
    return {"text/html": {"schema": {"type": "string"}, "example": example}}


def _json(schema: Json, **example: Any) -> Json:
    return {"application/json": {"schema": schema, **example}}
