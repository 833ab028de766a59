"""The places of ids in a recorded session, which holds them as numbers that count from 1."""

import re
from itertools import zip_longest
from string import ascii_uppercase
from typing import Any, Final

from lockstep.routes import BASE_PATH

Shape = str | tuple["Shape", ...] | list["Shape"] | dict[str, "Shape"] | None
"""What a value holds. Text: an id of this kind, as a number, as text or within a text. A tuple: the elements of a row,
in order. A list of one: each element. A dict of one: the keys of an object, and its values. None: fields, or no ids.
"""

LITERAL: Final = "LITERAL"
"""The kind of a text that holds a Python literal."""
TIME: Final = "TIME"
"""The kind of a text that is a time."""
PLAIN: Final = ""
"""The kind of keys that hold no id."""
WHOLE: Final = ""
"""The name of the field that is a whole body."""

_VERSION: Final[Shape] = ("TTV", None, None, None, None, {PLAIN: "ARG"}, "TT")
FIELDS: Final[dict[str, Shape]] = {
    "array_id": "ARRAY",
    "dag_id": "DAG",
    "node_id": "NODE",
    "task_id": "TASK",
    "task_instance_id": "TI",
    "task_resources_id": "TR",
    "task_template_id": "TT",
    "task_template_version_id": "TTV",
    "tool_id": "TOOL",
    "tool_version_id": "TV",
    "workflow_id": "WF",
    "workflow_run_id": "WFR",
    "created_date": TIME,
    "downstream_node_ids": ["NODE"],
    "downstream_tasks": {"TASK": ("NODE", ["NODE"])},
    "err_msg": "WF",
    "matching_workflows": [(None, "TV", None)],
    "max_task_id": "TASK",
    "node_args": {"ARG": None},
    "nodes": {"TTV": "NODE"},
    "queue": (None, None, LITERAL),
    "status_updates": {PLAIN: ["TI"]},
    "task_args": [("TASK", "ARG", None)],
    "task_attributes": {"TASK": None},
    "task_ids": ["TASK"],
    "task_instance": ("TI", None, "WF", "TASK", None, None, "TR"),
    "task_instance_batches": [("ARRAY", None, None, "TR", ["TI"])],
    "task_instance_error_log": [("ERROR", TIME, None)],
    "task_instance_ids": ["TI"],
    "task_template_version": _VERSION,
    "task_template_versions": [_VERSION],
    "task_templates": [("TT", "TV", None)],
    "tasks_by_status": {PLAIN: ["TASK"]},
    "time": TIME,
    "tool": ("TOOL", None),
    "tool_version": ("TV", "TOOL"),
    "tool_versions": [("TV", "TOOL")],
    "upstream_node_ids": ["NODE"],
    "workflow": ("WF", "DAG", None),
}
"""By the name of a field of a body or of a query, or of a part of a path."""
FIELDS_OF: Final[dict[tuple[str, str], dict[str, Shape]]] = {
    ("/array/{array_id}/log_distributor_id", "request"): {WHOLE: {"TI": None}},
    ("/task/bind_resources", "response"): {WHOLE: "TR"},
    ("/task/bind_tasks_no_args", "request"): {"tasks": {PLAIN: ("NODE", None, "ARRAY", "TR")}},
    ("/task/bind_tasks_no_args", "response"): {"tasks": {PLAIN: ("TASK", None)}},
    ("/workflow/get_tasks/{workflow_id}", "response"): {"tasks": {"TASK": ("ARRAY", None, None, *[LITERAL] * 3)}},
}
"""Fields that mean something else, by the route below /api/v3 and the side of an exchange."""
VERSION: Final = ("client_jobmon_version", "3.6.0")
"""Stands in every recorded query, and is left out of the recording."""
_NUMBER: Final = re.compile(r"\d+")


def with_symbols(exchange: dict[str, Any]) -> dict[str, Any]:
    """A recorded exchange as a request of client.py: with a symbol for each id, such as `$TASK7` for the task 7."""
    route = exchange["route"].removeprefix(BASE_PATH)
    asked, answered = (FIELDS | FIELDS_OF.get((route, side), {}) for side in ("request", "response"))
    query = _symbolic(exchange.get("query") or {}, None, FIELDS)
    return exchange | {
        "path": _path(exchange["route"], exchange["path"]),
        "query": [VERSION, *((name, each) for name, value in query.items() for each in _each(value))],
        "body": _symbolic(exchange["request"], asked.get(WHOLE), asked),
        "response": _symbolic(exchange["response"], answered.get(WHOLE), answered),
    }


def number_of(symbol: str) -> int:
    """The recorded id that a symbol stands for.

    >>> number_of("$TASK7")
    7
    """
    return int(symbol.lstrip("$" + ascii_uppercase))


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _path(route: str, path: str) -> str:
    parts = zip(route.split("/"), path.split("/"), strict=True)
    kinds = ((FIELDS.get(name.strip("{}")) if name.startswith("{") else None, part) for name, part in parts)
    return "/".join(f"${kind}{part}" if kind else part for kind, part in kinds)


def _symbolic(value: Any, shape: Shape, fields: dict[str, Shape]) -> Any:
    match shape, value:
        case str(), _:
            return _symbol(value, shape)
        case tuple(), list():
            return tuple(_symbolic(each, of_it, fields) for each, of_it in zip_longest(value, shape))
        case _, list():
            of_each = shape[0] if isinstance(shape, list) else None
            return [_symbolic(each, of_each, fields) for each in value]
        case dict(), dict():
            [(kind, of_each)] = shape.items()
            return {_first_number(key, kind): _symbolic(each, of_each, fields) for key, each in value.items()}
        case _, dict():
            return {key: _symbolic(each, fields.get(key), fields) for key, each in value.items()}
    return value


def _symbol(value: Any, kind: str) -> Any:
    match value:
        case int():
            return f"${kind}{value}"
        case str() if kind == LITERAL:
            return {"$literal": value}
        case str() if kind == TIME:
            return "$TIME"
        case str() if value.isdecimal():
            return f"${kind}{value}:str"
        case str():
            return _first_number(value, kind)
    return value


def _first_number(text: str, kind: str) -> str:
    return _NUMBER.sub(lambda number: f"${kind}{number[0]}", text, count=1) if kind else text
