"""Every event in events/, replayed on the table that events/seed.json describes."""

import json
from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

import pytest
from pydantic import ValidationError

from local import gateway
from local.events import (
    CASES,
    EVENTS,
    SEED,
    Case,
    Event,
    UnknownEventError,
    body_of,
    cases,
    cases_of,
    read,
    reply_body,
    route_name,
)
from local.seed import Seed, load
from local.template import Template
from lockstep.routes import ROUTES as ALL_ROUTES
from tests.conformance.cases import SEEDED, replay
from tests.support import described
from tests.support.memory.boundary import in_memory

TEMPLATE: Final = Template()
ROUTES: Final = {route.name: route for route in ALL_ROUTES}
OTHER_FILES: Final = {"seed", "env"}


@pytest.fixture(scope="module")
def seeded() -> Iterator[None]:
    """A table of these tests' own: others write beside what they seed."""
    with in_memory():
        load(Seed.model_validate_json(SEED.read_bytes()))
        yield


def send(name: str, event: Event) -> tuple[int, Any]:
    handler = gateway.load_handler(route_name(name))
    reply = json.loads(gateway.invoke(handler, json.dumps(event), route_name(name)))
    body = reply_body(reply)
    described.reply(route_name(name), reply["statusCode"]).validate(body)
    return reply["statusCode"], body


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("name", cases())
def test_events(name: str) -> None:
    replay(name, send, send)


@pytest.mark.usefixtures("seeded")
def test_binding_again_finds_the_same_tasks() -> None:
    assert send("bind_tasks_no_args", read("bind_tasks_no_args")) == send(
        "bind_tasks_no_args", read("bind_tasks_no_args.again")
    )


def test_every_route_has_one_event_and_a_file_of_cases() -> None:
    events, cases = ({file.stem for file in folder.glob("*.json")} for folder in (EVENTS, CASES))
    assert ROUTES.keys() - events == set(), "a route's event is missing: add events/<route>.json"
    assert ROUTES.keys() - cases == set(), "a route's cases are missing: add events/cases/<route>.json"
    assert (events - OTHER_FILES) | cases == ROUTES.keys(), "a file's route is missing"


@pytest.mark.parametrize("route", ROUTES)
def test_a_route_answers_its_own_event_with_200_and_its_other_cases_differ(route: str) -> None:
    (first, own), *others = cases_of(route).items()
    assert (first, own.status) == (route, 200)
    assert read(route) == json.loads((EVENTS / f"{route}.json").read_text(encoding="utf-8"))
    for name, case in others:
        assert route_name(name) == route
        assert read(name) != read(route), f"{name}: {case.why}"


@pytest.mark.parametrize("name", cases())
def test_events_come_by_a_route_of_the_template(name: str) -> None:
    route, event = ROUTES[route_name(name)], read(name)
    context = event["requestContext"]
    assert (event["httpMethod"], event["resource"]) == (route.method, route.resource)
    assert (context["httpMethod"], context["resourcePath"]) == (route.method, route.resource)
    assert (context["stage"], context["path"]) == (TEMPLATE.stage, f"/{TEMPLATE.stage}{event['path']}")
    match = route.pattern.fullmatch(event["path"])
    assert match
    assert match.groupdict() == (event["pathParameters"] or {})


@pytest.mark.parametrize("name", cases())
def test_events_are_whole_and_laid_out_alike(name: str) -> None:
    event = read(name)
    assert list(event) == list(read("log_done"))
    assert list(event["requestContext"]) == list(read("log_done")["requestContext"])
    for single, many in (
        ("headers", "multiValueHeaders"),
        ("queryStringParameters", "multiValueQueryStringParameters"),
    ):
        assert {key: values[-1] for key, values in (event[many] or {}).items()} == (event[single] or {})


@pytest.mark.parametrize("route", ROUTES)
def test_the_file_of_an_event_is_laid_out_as_make_event_prints_it(route: str) -> None:
    assert (EVENTS / f"{route}.json").read_text(encoding="utf-8") == json.dumps(read(route), indent=2) + "\n"


def test_an_unknown_name_is_refused_with_near_ones() -> None:
    with pytest.raises(UnknownEventError, match=r"no event log_done\.untimly .*; near: log_done\.untimely"):
        read("log_done.untimly")


def test_a_case_has_one_body_and_no_unknown_part() -> None:
    for wrong in ('"body": {}, "text": ""', '"bodi": {}'):
        with pytest.raises(ValidationError):
            Case.model_validate_json(f'{{"why": "", "reply": {{}}, {wrong}}}')


def numbers(value: Any) -> set[int]:
    """All integers in a value, also those in text and in keys."""
    if isinstance(value, dict):
        return numbers(list(value)) | numbers(list(value.values()))
    if isinstance(value, list):
        return set().union(*map(numbers, value))
    return {int(value)} if str(value).isdecimal() else set()


def tasks_of(event: Event) -> set[int]:
    """The seeded tasks that the event names, as such, by an instance or by their array."""
    named = numbers(event["pathParameters"]) | numbers(body_of(event))
    instances = SEEDED["task_instances"]
    return {task["task_id"] for task in SEEDED["tasks"] if named & {task["task_id"], task["array_id"]}} | {
        instance["task_instance_id"] // 1000 for instance in instances if instance["task_instance_id"] in named
    }


def test_no_event_changes_what_another_one_needs() -> None:
    answered = [name for name, case in cases().items() if case.status == 200]
    tasks = {name: tasks_of(read(name)) for name in answered if read(name)["httpMethod"] != "GET"}
    assert all(tasks[name].isdisjoint(tasks[other]) for name, other in combinations(tasks, 2))
