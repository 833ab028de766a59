"""The API Gateway events in events/: a whole event for each route, and its cases as differences from that event.

`make event NAME=log_done.untimely` prints a whole event. `make event` lists the cases.
"""

import argparse
import base64
import difflib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, TypeAdapter, model_validator

from local.template import ROOT
from lockstep.routes import ROUTES

EVENTS: Final = ROOT / "events"
CASES: Final = EVENTS / "cases"
SEED: Final = EVENTS / "seed.json"
EXAMPLES: Final[Mapping[str, Any]] = {
    "<a new tool>": 5003,
    "<a new tool version>": 5104,
    "<a new task template>": 5203,
    "<a new task template version>": 5301,
    "<a new array>": 721,
    "<a new task>": 7086,
    "<new resources>": 6,
    "<a new run>": 6109,
    "<a new workflow>": 6007,
    "<an id>": 1,
    "<a time>": "2026-01-31 12:00:00",
    "<a moment>": "2026-01-31T12:00:00.123456+00:00",
    "<a moment ahead>": "2026-01-31T12:04:39.123456+00:00",
    "<some text>": "some text",
    "<a page>": "<!doctype html>…",
}
"""The placeholders of values that differ each time, with an example of each for docs/openapi.json."""

Event = dict[str, Any]
Changes = dict[str, str | list[str] | None]
"""Values by name; a list repeats the name, null removes it."""


class UnknownEventError(Exception):
    """No event has this name; the message lists similar names."""


class Case(BaseModel):
    """An event: why it exists, how it differs from its route's event, and its expected result."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    why: str
    after: str | None = None
    """The case whose event must be sent first."""

    path: dict[str, int | str] = {}
    query: Changes = {}
    headers: Changes = {}
    body: Any = None
    """Another body, as JSON."""
    fields: dict[str, Any] = {}
    """Other values of some of the body's fields."""
    text: str | None = None
    """Another body, as raw text; null: none."""
    base64: bool = False

    status: int = HTTPStatus.OK
    reply: Any
    """The whole body of a 200, or some fields of an error's body. It may hold placeholders."""
    afterwards: dict[int, dict[str, Any]] = {}
    """Some fields of instances, their tasks and their error entries after the event. They may hold placeholders."""

    @model_validator(mode="after")
    def _has_one_body(self) -> Self:
        if len({"body", "fields", "text"} & self.model_fields_set) > 1:
            raise ValueError("body, fields and text exclude each other")
        return self


def expand(event: Event, case: Case) -> Event:
    """Apply a case's differences to its route's event.

    >>> case = Case(why="", path={"task_instance_id": 7}, query={"q": ["a", "b"]}, fields={"nodename": "n"}, reply={})
    >>> whole = expand(_route_event("log_done"), case)
    >>> whole["path"], whole["pathParameters"], whole["requestContext"]["path"]
    ('/api/v3/task_instance/7/log_done', {'task_instance_id': '7'}, '/v1/api/v3/task_instance/7/log_done')
    >>> whole["queryStringParameters"]["q"], whole["multiValueQueryStringParameters"]["q"]
    ('b', ['a', 'b'])
    >>> body_of(whole)["nodename"], body_of(whole)["distributor_id"]
    ('n', '8675309_4')
    """
    parameters = (event["pathParameters"] or {}) | {name: str(value) for name, value in case.path.items()}
    path = event["resource"].format_map({name: quote(value, safe="") for name, value in parameters.items()})
    context = event["requestContext"] | {"path": f"/{event['requestContext']['stage']}{path}"}
    return (
        event
        | {"path": path, "pathParameters": parameters or None, "requestContext": context}
        | _twins(event, "headers", "multiValueHeaders", case.headers)
        | _twins(event, "queryStringParameters", "multiValueQueryStringParameters", case.query)
        | _body(event, case)
    )


def _twins(event: Event, single: str, many: str, changes: Changes) -> Event:
    changed = {name: [value] if isinstance(value, str) else value for name, value in changes.items()}
    values = {name: given for name, given in ((event[many] or {}) | changed).items() if given}
    return {single: {name: given[-1] for name, given in values.items()} or None, many: values or None}


def _body(event: Event, case: Case) -> Event:
    text = event["body"]
    if "text" in case.model_fields_set:
        text = case.text
    elif "body" in case.model_fields_set:
        text = json.dumps(case.body)
    elif case.fields:
        text = json.dumps(body_of(event) | case.fields)
    if case.base64:
        text = base64.b64encode(text.encode()).decode()
    return {"body": text, "isBase64Encoded": case.base64}


def body_of(event: Event) -> Any:
    """Return an event's parsed body, or None if it has no body."""
    body = event["body"] or "null"
    return json.loads(base64.b64decode(body) if event["isBase64Encoded"] else body)


def reply_body(reply: Event) -> Any:
    """Return the body of a function's reply, parsed if it is JSON.

    >>> reply_body({"headers": {"Content-Type": "text/html; charset=utf-8"}, "body": "<p>"})
    '<p>'
    """
    is_json = reply["headers"]["Content-Type"] == "application/json"
    return json.loads(reply["body"]) if is_json else reply["body"]


def route_name(name: str) -> str:
    """Return the route's name from a case's name.

    >>> route_name("log_done.untimely")
    'log_done'
    """
    return name.partition(".")[0]


@cache
def cases_of(route: str) -> dict[str, Case]:
    """Read the cases of a route by name; the route's own event comes first."""
    return TypeAdapter(dict[str, Case]).validate_json((CASES / f"{route}.json").read_bytes())


@cache
def cases() -> dict[str, Case]:
    """Read all cases by name, in the order of lockstep.routes. A route without a file has none; a test reports it."""
    with_cases = [route.name for route in ROUTES if (CASES / f"{route.name}.json").is_file()]
    return {name: case for route in with_cases for name, case in cases_of(route).items()}


def read(name: str) -> Event:
    """Return the whole event of a case.

    Raises:
        UnknownEventError: no case has this name.
    """
    if name not in cases():
        raise UnknownEventError(f"no event {name} in events/cases; {_near(name, cases())}")
    return expand(_route_event(route_name(name)), cases()[name])


def _near(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(names), n=5)
    return f"near: {', '.join(near)}" if near else "`make event` lists the names"


def _route_event(route: str) -> Event:
    event: Event = json.loads((EVENTS / f"{route}.json").read_bytes())
    return event


def filled(value: Any, values: Mapping[str, Any]) -> Any:
    """Replace the placeholders in a value.

    >>> filled({"tasks": {"a": ["<a new task>", "G"]}}, EXAMPLES)
    {'tasks': {'a': [7086, 'G']}}
    """
    if isinstance(value, dict):
        return {name: filled(each, values) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, values) for each in value]
    is_placeholder = isinstance(value, str) and value.startswith("<") and value.endswith(">")
    return values[value] if is_placeholder else value


def main() -> None:
    """Print a whole event, or list the cases."""
    parser = argparse.ArgumentParser(prog="local.events", description=__doc__)
    parser.add_argument("name", nargs="?", help="a case in events/cases, such as log_done.untimely")
    name = parser.parse_args().name
    if name is None:
        width = max(map(len, cases()))
        print("\n".join(f"{name:{width}}  {case.why}" for name, case in cases().items()))
        return
    try:
        print(json.dumps(read(name), indent=2))
    except UnknownEventError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
