"""Every event in events/, replayed on the table that events/seed.json describes."""

import base64
import json
from itertools import combinations
from typing import Any, Final

import pytest

from local import gateway
from local.seed import Seed, load
from local.template import Template
from lockstep.routes import ROUTES as ALL_ROUTES
from tests import described
from tests.replay.cases import CASES, EVENTS, SEED, SEEDED, Case, Event, look, names, read, route_name, stated

TEMPLATE: Final = Template()
ROUTES: Final = {route.name: route for route in ALL_ROUTES}


@pytest.fixture(scope="module")
def seeded(table: str) -> None:
    assert table
    load(Seed.model_validate_json(SEED.read_bytes()))


def send(name: str, event: Event) -> tuple[int, Any]:
    handler = gateway.load_handler(route_name(name))
    reply = json.loads(gateway.invoke(handler, json.dumps(event), route_name(name)))
    assert reply["headers"] == {"Content-Type": "application/json"}
    body = json.loads(reply["body"])
    described.reply(route_name(name), reply["statusCode"]).validate(body)
    return reply["statusCode"], body


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("case", [pytest.param(case, id=sentence) for sentence, case in CASES.items()])
def test_events(case: Case) -> None:
    if case.behind:
        send(case.behind, read(case.behind))
    code, body = send(case.event, read(case.event))
    assert (code, body if code == 200 else stated(body, case.body)) == (case.status, case.body)
    for task_instance_id, wanted in case.afterwards.items():
        assert stated(look(send, task_instance_id), wanted) == wanted


@pytest.mark.usefixtures("seeded")
def test_binding_again_finds_the_same_tasks() -> None:
    assert send("bind_tasks_no_args", read("bind_tasks_no_args")) == send(
        "bind_tasks_no_args", read("bind_tasks_no_args.again")
    )


def test_every_event_has_one_expectation_and_every_expectation_an_event() -> None:
    assert sorted(case.event for case in CASES.values()) == names()


def test_every_function_has_an_event_that_it_answers_with_200() -> None:
    good = {route_name(case.event) for case in CASES.values() if case.status == 200 and case.event in ROUTES}
    assert good == ROUTES.keys()


@pytest.mark.parametrize("name", names())
def test_events_come_by_a_route_of_the_template(name: str) -> None:
    route, event = ROUTES[route_name(name)], read(name)
    context = event["requestContext"]
    assert (event["httpMethod"], event["resource"]) == (route.method, route.resource)
    assert (context["httpMethod"], context["resourcePath"]) == (route.method, route.resource)
    assert (context["stage"], context["path"]) == (TEMPLATE.stage, f"/{TEMPLATE.stage}{event['path']}")
    match = route.pattern.fullmatch(event["path"])
    assert match
    assert match.groupdict() == (event["pathParameters"] or {})


@pytest.mark.parametrize("name", names())
def test_events_are_whole_and_laid_out_alike(name: str) -> None:
    event = read(name)
    assert list(event) == list(read("log_done"))
    assert list(event["requestContext"]) == list(read("log_done")["requestContext"])
    for single, many in (
        ("headers", "multiValueHeaders"),
        ("queryStringParameters", "multiValueQueryStringParameters"),
    ):
        assert event[many] == {key: [value] for key, value in event[single].items()}
    assert (EVENTS / f"{name}.json").read_text() == json.dumps(event, indent=2) + "\n"


def body_of(event: Event) -> Any:
    body = event["body"] or "null"
    return json.loads(base64.b64decode(body) if event["isBase64Encoded"] else body)


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
    answered = [case.event for case in CASES.values() if case.status == 200]
    tasks = {name: tasks_of(read(name)) for name in answered if read(name)["httpMethod"] != "GET"}
    assert all(tasks[name].isdisjoint(tasks[other]) for name, other in combinations(tasks, 2))
