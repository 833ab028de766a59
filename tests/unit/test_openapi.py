"""docs/openapi.json is an OpenAPI 3.1 document, has every route once with examples, and its limits are the models'."""

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
from pydantic import BaseModel, ValidationError

from local import openapi
from local.events import EXAMPLES, body_of, cases, filled, read
from local.gateway import load_handler
from local.openapi import Example, Json, Operation
from local.template import several
from lockstep.access.scopes import Scope
from lockstep.errors import FieldError, InvalidError, NotFoundError
from lockstep.routes import BASE_PATH, Route
from lockstep.routes import ROUTES as ALL_ROUTES
from tests.support import described
from tests.support.described import DOCUMENT, OPERATIONS
from tests.support.tools import VERSION

ROUTES = {route.name: route for route in ALL_ROUTES}


def test_it_is_openapi() -> None:
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)


def test_every_route_is_in_it_once() -> None:
    named = [
        (operation["operationId"], method.upper(), path)
        for path, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
    ]
    assert sorted(named) == sorted((route.name, route.method, route.resource) for route in ROUTES.values())


@pytest.mark.parametrize("name", ROUTES)
def test_an_operation_names_what_is_in_its_path_and_says_what_it_is_for(name: str) -> None:
    operation = OPERATIONS[name]
    in_path = [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "path"]
    assert in_path == list(ROUTES[name].pattern.groupindex)
    assert operation["summary"]
    assert "/" not in operation["summary"]
    assert operation["description"]


def test_every_operation_has_one_tag_and_every_tag_a_sentence() -> None:
    tags = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}
    assert {name: operation["tags"] for name, operation in OPERATIONS.items()} == {
        name: [route.aggregate] for name, route in ROUTES.items()
    }
    assert tags.keys() == {route.aggregate for route in ROUTES.values()}
    assert all(sentence.endswith(".") for sentence in tags.values())


@pytest.mark.parametrize("name", ROUTES)
def test_every_operation_has_examples_that_fit_their_schemas(name: str) -> None:
    operation = OPERATIONS[name]
    for parameter in operation.get("parameters", []):
        assert "example" in parameter or not parameter["required"]
        if "example" in parameter:
            described.parameter(parameter).validate(parameter["example"])
    if "requestBody" in operation:
        described.request(name).validate(described.example(operation["requestBody"]))
    described.reply(name, 200).validate(described.example(operation["responses"]["200"]))


@pytest.mark.parametrize("name", ROUTES)
def test_every_example_is_the_routes_event_which_the_seed_answers_so(name: str) -> None:
    """tests/conformance/test_events.py sends each event."""
    operation, event = OPERATIONS[name], read(name)
    parameters = operation.get("parameters", [])
    shown = {each["name"]: [*map(str, several(each["example"]))] for each in parameters if "example" in each}
    sent = {key: [value] for key, value in (event["pathParameters"] or {}).items()}
    sent |= event["multiValueQueryStringParameters"] or {}
    assert shown == {key: values for key, values in sent.items() if key in {each["name"] for each in parameters}}
    if "requestBody" in operation:
        assert described.example(operation["requestBody"]) == body_of(event)
    assert described.example(operation["responses"]["200"]) == filled(cases()[name].reply, EXAMPLES)


@pytest.mark.parametrize("name", ROUTES)
def test_what_every_operation_may_answer(name: str) -> None:
    assert OPERATIONS[name]["responses"].keys() >= {"200", "401", "403", "413", "500", "503"}


@pytest.mark.parametrize("error", [NotFoundError("no such thing"), InvalidError([FieldError("status", "no such")])])
def test_a_problem_is_what_errors_say(error: NotFoundError | InvalidError) -> None:
    problem = error.problem()
    described.reply("log_done", error.status).validate(problem)
    assert problem.keys() <= openapi.Problem.model_fields.keys()


def test_a_422_names_fields() -> None:
    assert not described.reply("log_done", 422).is_valid(NotFoundError("no such thing").problem())


def test_models_of_one_name_stay_apart() -> None:
    def one(name: str, kind: type) -> Operation:
        class Nothing(BaseModel):
            pass

        class Body(BaseModel):
            value: kind  # type: ignore[valid-type]  # it differs

        class Reply(BaseModel):
            value: kind  # type: ignore[valid-type]  # as above

        route = Route("array", name, "POST", f"/{name}", Scope.WORKER, "A summary.", 6.0)
        return Operation(route, Nothing, Nothing, Body, Reply, "a description", Example({}, {}, {}, {}))

    made = openapi.document([one("first", int), one("second", str)], {"url": "/"})
    validate(made, cls=OpenAPIV31SpecValidator)
    found = {}
    for name in ("first", "second"):
        operation = made["paths"][f"{BASE_PATH}/{name}"]["post"]
        for holder in (operation["requestBody"], operation["responses"]["200"]):
            reference = holder["content"]["application/json"]["schema"]["$ref"]
            schema = made["components"]["schemas"][reference.removeprefix("#/components/schemas/")]
            found[reference] = schema["properties"]["value"]["type"]
    assert sorted(found.values()) == ["integer", "integer", "string", "string"]


ROW = [1, "hash", 1, 1, "name", "command", 3, False, None, None]
ARRAY: Json = {"workflow_id": 1, "task_template_version_id": 1, "max_concurrently_running": 1, "name": "a"}
START: Json = {"process_group_id": 1, "next_report_increment": 90}
FAILURE: Json = {"error_state": "E", "error_description": "boom"}
RUN: Json = {"workflow_id": 1, "next_report_increment": 90}
QUEUE: Json = {"task_ids": [1], "task_resources_id": 1, "workflow_run_id": 1}
TRIAGED: Json = {"error_state": "E", "error_message": "boom"}
POLL: Json = {"task_instance_ids": [1], "status": "R"}


def tasks(*row: Any, name: str = "a") -> Json:
    return {"workflow_id": 1, "tasks": {name: list(row)}}


def resources(**wanted: Any) -> Json:
    return {"queue_id": 1, "requested_resources": wanted}


FITS: list[tuple[str, Any]] = [
    *[("add_task_template_version", VERSION | {"arg_mapping_hash": number}) for number in (0, 10**78, "9" * 150)],
    (
        "add_task_template_version",
        VERSION | {"task_args": ["x" * 1_000, "", 7], "op_args": list(map(str, range(1000)))},
    ),
    ("bind_task_template", {"tool_version_id": 2**53 - 1, "task_template_name": ""}),
    ("bind_tool", {"name": "x" * 1_000}),
    ("bind_tool", {"name": 7}),
    ("create_tool_version", {"tool_id": 2**53 - 1}),
    ("array_log_distributor_id", {}),
    ("array_log_distributor_id", {"1001": "x" * 10_000, "1002": None, "1003": ""}),
    ("array_log_distributor_id", {"1001": "x" * 150, "9007199254740001": 7}),
    ("array_log_distributor_id", {"1000": None, "999": None, "-1001": [], "abc": {}, "9" * 20: None}),
    ("bind_resources", resources(stdout="x" * 4096, stderr=7, memory=[{"a": None}])),
    ("bind_resources", resources() | {"task_resources_type_id": "x" * 255}),
    ("bind_tasks_no_args", tasks(*ROW)),
    ("bind_tasks_no_args", tasks(*ROW[:7])),
    ("bind_tasks_no_args", tasks(*ROW, name="x" * 255)),
    ("bind_tasks_no_args", tasks(*ROW[:4], "x" * 1000, "x" * 300_000, 0)),
    ("create_array", ARRAY | {"workflow_id": 2**53 - 1, "max_concurrently_running": 2**31 - 1, "name": "x" * 1000}),
    ("create_array", ARRAY | {"max_concurrently_running": 0}),
    ("create_workflow_run", RUN | {"user": None, "jobmon_version": "x" * 255}),
    ("log_distributor_id", {"distributor_id": 8675309, "next_report_increment": -1e9}),
    ("log_done", {}),
    ("log_done", {"nodename": "x" * 255, "distributor_id": "x" * 150, "stdout": "x" * 4096, "stdout_log": "x" * 9999}),
    ("log_done", {"nodename": None, "distributor_id": 8675309, "nobody_knows": 1}),
    *[("log_error_worker_node", FAILURE | {"error_state": state}) for state in "EFUZ"],
    ("log_running", START | {"process_group_id": 2**63 - 1, "next_report_increment": 1e9}),
    ("log_running", START | {"process_group_id": -(2**63)}),
    ("queue_task_batch", QUEUE | {"task_ids": [-1, 0, 2**70] * 3333}),
    ("sync_status", POLL | {"task_instance_ids": []}),
]
REFUSED: list[tuple[str, Any]] = [
    *[("add_task_template_version", VERSION | {"arg_mapping_hash": wrong}) for wrong in (-1, "", "x", "9" * 151, None)],
    ("add_task_template_version", VERSION | {"op_args": list(map(str, range(1001)))}),
    ("add_task_template_version", VERSION | {"node_args": ["a", "a"]}),
    ("add_task_template_version", VERSION | {"node_args": ["x" * 1001]}),
    ("add_task_template_version", VERSION | {"node_args": None}),
    ("add_task_template_version", VERSION | {"command_template": "x" * 300_001}),
    ("bind_task_template", {"tool_version_id": 0, "task_template_name": "t"}),
    ("bind_tool", {"name": "x" * 1001}),
    ("bind_tool", {"name": None}),
    ("create_tool_version", {"tool_id": 2**53}),
    ("array_log_distributor_id", {str(number): "a" for number in range(100_001, 400_001)}),
    ("array_log_distributor_id", []),
    ("bind_resources", resources(stdout="x" * 4097)),
    ("bind_resources", resources() | {"queue_id": 0}),
    ("bind_resources", resources() | {"requested_resources": None}),
    ("bind_resources", resources() | {"task_resources_type_id": "x" * 256}),
    ("bind_tasks_no_args", tasks(*ROW[:6])),
    ("bind_tasks_no_args", tasks(*ROW, None)),
    ("bind_tasks_no_args", tasks(*ROW, name="x" * 256)),
    ("bind_tasks_no_args", tasks(*ROW[:1], "x" * 256, *ROW[2:])),
    ("bind_tasks_no_args", tasks(*ROW[:4], "x" * 1001, *ROW[5:])),
    ("bind_tasks_no_args", tasks(*ROW[:5], "x" * 300_001, *ROW[6:])),
    ("bind_tasks_no_args", tasks(*ROW[:6], 2**31)),
    ("bind_tasks_no_args", tasks(*ROW[:7], None)),
    ("create_array", ARRAY | {"workflow_id": 2**53}),
    ("create_array", ARRAY | {"max_concurrently_running": 2**31}),
    ("create_array", ARRAY | {"max_concurrently_running": -1}),
    ("create_array", ARRAY | {"name": None}),
    ("create_workflow_run", RUN | {"user": "x" * 256}),
    ("log_done", {"nodename": True}),
    ("log_done", {"nodename": "x" * 256}),
    ("log_done", {"distributor_id": "x" * 151}),
    ("log_done", {"stderr": "x" * 4097}),
    ("log_done", None),
    *[("log_error_worker_node", FAILURE | {"error_state": state}) for state in ("D", "W", "R", "e", "", None)],
    *[("log_known_error", TRIAGED | {"error_state": state}) for state in ("D", "W", "R", "e", "", None)],
    ("log_known_error", {"error_state": "E"}),
    ("log_running", START | {"process_group_id": 2**63}),
    ("log_running", START | {"process_group_id": -(2**63) - 1}),
    ("log_running", START | {"process_group_id": 1.5}),
    ("log_running", START | {"next_report_increment": 1.1e9}),
    ("log_running", START | {"next_report_increment": None}),
    ("log_running", {"process_group_id": 1}),
    ("queue_task_batch", QUEUE | {"task_ids": [1] * 10_001}),
    ("queue_task_batch", QUEUE | {"task_ids": [None]}),
    ("sync_status", POLL | {"status": "r"}),
    ("update_workflow_run_status", {"status": None}),
]


def fits_the_schema(name: str, body: Any) -> bool:
    return bool(described.request(name).is_valid(body))


def fits_the_model(name: str, body: Any) -> bool:
    model = openapi.operation(ROUTES[name], load_handler(name)).body
    try:
        model.model_validate_json(json.dumps(body))
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(("name", "body"), FITS, ids=lambda given: repr(given)[:60])
def test_what_the_schema_takes_the_model_takes(name: str, body: Any) -> None:
    assert fits_the_schema(name, body)
    assert fits_the_model(name, body)


@pytest.mark.parametrize(("name", "body"), REFUSED, ids=lambda given: repr(given)[:60])
def test_what_the_schema_refuses_the_model_refuses(name: str, body: Any) -> None:
    assert not fits_the_schema(name, body)
    assert not fits_the_model(name, body)
