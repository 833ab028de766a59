"""Requests that a fuzzer makes from docs/openapi.json, and what must be true of every reply to them."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import jsonschema
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    status_code_conformance,
)

from local.document import OPENAPI
from tests.support import described
from tests.verification.fuzz.system import BATCHES, STEPS, System, instance_id, task_id

Operation = schemathesis.APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Operation]
Reply = schemathesis.Response
Json = dict[str, Any]

CONFORMANCE: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
]
"""Schemathesis's own look at a reply's body cannot read positional arrays: check_contract looks at it."""


@dataclass(slots=True)
class Tally:
    """What was sent, and what came back."""

    replies: Counter[tuple[str, int]] = field(default_factory=Counter)
    """By operation and status."""

    @property
    def requests(self) -> int:
        return self.replies.total()

    def of(self, operation: str) -> dict[int, int]:
        """An operation's replies by status."""
        return {status: n for (name, status), n in sorted(self.replies.items()) if name == operation}


def operations() -> list[Operation]:
    """All that the document describes."""
    schema = schemathesis.openapi.from_path(str(OPENAPI))
    return [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]


def name_of(operation: Operation) -> str:
    """The function's folder."""
    return str(operation.definition.raw["operationId"])


def fuzz(operation: Operation, system: System, examples: int, tally: Tally, *, deterministic: bool = True) -> None:
    """Send so many requests that fit the document, and as many that do not, and check every reply."""
    with requests.Session() as session:
        session.trust_env = False
        for mode in schemathesis.GenerationMode:

            @settings(
                max_examples=examples,
                derandomize=deterministic,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(_aimed(operation, mode))
            def send(case: Case) -> None:
                reply = case.call(base_url=system.url, session=session)
                tally.replies[name_of(operation), reply.status_code] += 1
                case.validate_response(reply, checks=CONFORMANCE)
                check_contract(case, reply)

            send()


ODD: Final[list[Any]] = [
    *(None, True, False, 0, -1, 1, 1.0, 1.5, -0.0, 2**31, 2**53 - 1, 2**53, 2**63, -(2**63) - 1, 10**40, 1e300),
    *(
        "",
        "1",
        "-1",
        "1.0",
        "x",
        "D",
        "K",
        "true",
        " 1",
        "1 ",
        "1_0",
        "\u0661",
        "0x1",
        "nan",
        "\x00",
        "x" * 256,
    ),
    *([], [1], {}, {"a": 1}),
]
"""What a field may hold beside what the fuzzer thinks of. Some of it fits some fields. No lone surrogate: Schemathesis
itself cannot read one; test_handlers.py and test_texts.py send them."""


def _aimed(operation: Operation, mode: schemathesis.GenerationMode) -> st.SearchStrategy[Case]:
    """Two of three at something that is there; every second with one part of its body replaced."""
    target = st.integers(-len(_targets()) // 2, len(_targets()) - 1)
    parts = st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, len(ODD) - 1))
    return st.tuples(operation.as_strategy(mode), target, parts).map(
        lambda drawn: _replaced(_aim(*drawn[:2]), drawn[2])
    )


def _replaced(case: Case, part: tuple[int, int, int] | None) -> Case:
    if part and isinstance(case.body, dict) and case.body:
        first, second, odd = part
        case.body = _with(case.body, first, second, ODD[odd])
    return case


def _with(body: Json, first: int, second: int, odd: Any) -> Json:
    """With something odd in a field, or in a row of what a field holds."""
    name = sorted(body)[first % len(body)]
    held = body[name]
    if name == "tasks" and isinstance(held, dict) and held:
        return body | {name: _with(held, second, first, odd)}
    if isinstance(held, list) and held:
        place = second % len(held)
        return body | {name: [*held[:place], odd, *held[place + 1 :]]}
    return body | {name: odd}


@cache
def _targets() -> list[Json]:
    return [
        {
            "task_instance_id": instance_id(batch, step),
            "task_id": task_id(batch, step),
            "array_id": batch,
            "workflow_id": batch,
            "batch_num": 1,
            "step_id": step,
            "workflow_run_id": batch,
            "task_resources_id": batch,
            "cluster_name": 2,
            "queue_name": "null.q",
            **dict.fromkeys(("tool_id", "tool_version_id", "task_template_id"), batch),
            "dag_id": batch,
            "batch_number": 1,
            "task_instance_ids": [instance_id(batch, step) for step in range(step, len(STEPS), 7)],
            "task_ids": [task_id(batch, step) for step in range(step, len(STEPS), 7)],
        }
        for batch in range(1, BATCHES + 1)
        for step in range(len(STEPS))
    ]


def _aim(case: Case, index: int) -> Case:
    if index < 0:
        return case
    target = _targets()[index]
    if case.path_parameters:
        case.path_parameters = {name: target[name] for name in case.path_parameters}
        if name_of(case.operation) == "get_cluster":
            case.path_parameters = {"cluster_name": "dummy"}
    if isinstance(case.body, dict):
        case.body = _aimed_body(name_of(case.operation), case.body, target)
    return case


def _aimed_body(operation: str, body: Json, target: Json) -> Json:
    if operation == "array_log_distributor_id":
        return dict(zip(map(str, target["task_instance_ids"]), body.values(), strict=False)) | body
    if operation == "bind_tasks_no_args" and isinstance(body.get("tasks"), dict):
        array_id = target["array_id"]
        rows = {
            name: [*row[:2], array_id, *row[3:]] if isinstance(row, list) and len(row) > 3 else row
            for name, row in body["tasks"].items()
        }
        return body | {"tasks": rows}
    named = {"task_instance_ids", "task_ids", "batch_number", "dag_id", "tool_id", "tool_version_id"}
    return body | {name: target[name] for name in named & body.keys() if _has_type_of(body[name], target[name])}


def _has_type_of(value: object, wanted: object) -> bool:
    return type(value) is type(wanted)


def check_contract(case: Case, reply: Reply) -> None:
    """What fits is taken; what does not is refused by name, but for what the document says is read all the same."""
    name = name_of(case.operation)
    fits = _body_fits(case, strict=True) and _path_fits(case) and _query_fits(case)
    if not reply.headers["content-type"][0].startswith("text/html"):
        described.reply(name, reply.status_code).validate(reply.json())
    if reply.status_code == 200:
        assert _body_fits(case, strict=False), f"{name} took a body that does not fit: {case.body!r:.2000}"
        assert _path_fits(case), f"{name} took a path that does not fit: {case.path_parameters!r:.2000}"
    elif reply.status_code == 422:
        errors = reply.json()["errors"]
        assert errors
        assert all(error["field"] and error["message"] for error in errors)
        assert not fits or all(_BEYOND_A_SCHEMA.search(error["message"]) for error in errors), (case.body, errors)


_BEYOND_A_SCHEMA: Final = re.compile(
    # What a schema of JSON cannot say; the last, that a whole number past 64 bits was written as a float.
    "bytes|nested|without NaN|does not exist|no queue has the id|belongs to workflow|exceeded maximum size"
    "|more than once|digits|a time such as|says otherwise than|is of template version|is of another list"
)


_TEXTS: Final = {("get_cluster", "cluster_name"), ("get_queue", "queue_name")}
"""Parameters of paths that are no numbers."""


def _path_fits(case: Case) -> bool:
    digits = 150 if name_of(case.operation) == "get_matching_workflows" else 37
    return all(
        value is not None and re.fullmatch(f"-?[0-9]{{1,{digits}}}", str(value))
        for name, value in (case.path_parameters or {}).items()
        if (name_of(case.operation), name) not in _TEXTS
    )


def _query_fits(case: Case) -> bool:
    parameters = case.operation.definition.raw.get("parameters", ())
    return all(_fits(each, (case.query or {}).get(each["name"])) for each in parameters if each["in"] == "query")


def _fits(parameter: Json, value: Any) -> bool:
    """Whether a value fits its schema, a whole number lies in its bounds, and nothing is missing that is required."""
    if value is None:
        return not parameter.get("required")
    schema = parameter["schema"]
    if schema.get("type") != "integer":
        return bool(described.parameter(parameter).is_valid(value))
    number = int(value) if re.fullmatch("-?[0-9]{1,18}", str(value)) else None
    return number is not None and schema.get("minimum", number) <= number <= schema.get("maximum", number)


def _body_fits(case: Case, *, strict: bool) -> bool:
    if "requestBody" not in case.operation.definition.raw:
        return True
    if not isinstance(case.body, dict | list | str | int | float | bool | None):
        return False
    body = case.body if strict else _without_objects_for_rows(case.body)
    return bool(_validator(name_of(case.operation), strict=strict).is_valid(body))


def _without_objects_for_rows(body: Any) -> Any:
    """A task to bind may come as an object: the document says so beside its schema."""
    if not (isinstance(body, dict) and isinstance(body.get("tasks"), dict)):
        return body
    return body | {"tasks": {name: row for name, row in body["tasks"].items() if not isinstance(row, dict)}}


@cache
def _validator(name: str, *, strict: bool) -> Draft202012Validator:
    schema = described.request(name).schema
    if strict:
        return Draft202012Validator(schema)
    return jsonschema.validators.extend(Draft202012Validator, _OF_NUMBERS, type_checker=_LENIENT)(schema)


def _of_numbers(check: Callable[..., Any]) -> Callable[..., Any]:
    def only(validator: Any, limit: Any, value: Any, schema: Any) -> Any:
        return check(validator, limit, value, schema) if isinstance(value, int | float) else None

    return only


_OF_NUMBERS: Final = {
    name: _of_numbers(Draft202012Validator.VALIDATORS[name])
    for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
}
"""A number that comes as text is not looked at more closely."""


def _reads_as(pattern: str) -> Callable[[Any, Any], bool]:
    def check(_: Any, value: Any) -> bool:
        return isinstance(value, bool | int) or (
            isinstance(value, str | float) and re.fullmatch(pattern, str(value).strip(), re.IGNORECASE) is not None
        )

    return check


_LENIENT: Final = Draft202012Validator.TYPE_CHECKER.redefine_many(
    {
        "integer": _reads_as(r"[+-]?\d+(_\d+)*(\.0*)?(e\+?\d+)?"),
        "number": _reads_as(r"[+-]?(\d[\d_]*\.?\d*|\.\d+)(e[+-]?\d+)?"),
        "boolean": _reads_as("0|1|0\\.0|1\\.0|t|f|true|false|y|n|yes|no|on|off"),
    }
)
"""What has only one reading: the document's "Beyond its schema"."""
