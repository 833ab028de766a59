"""Values that Jobmon's client reads back as Python literals."""

import json
from typing import Any


def as_literal(value: Any) -> str | None:
    """A JSON value as the Python literal that stands for it; None for none.

    >>> as_literal({"memory": [0.5, 1], "runtime": None})
    "{'memory': [0.5, 1], 'runtime': None}"
    """
    return None if value is None else repr(value)


def as_json_literal(value: Any) -> str:
    """A JSON value as text that is JSON and a Python literal; only a Python literal where the two differ.

    >>> as_json_literal({"memory": 1}), as_json_literal({"memory": None})
    ('{"memory": 1}', "{'memory': None}")
    """
    return repr(value) if _differs(value) else json.dumps(value, ensure_ascii=False)


def _differs(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_differs, value.values()))
    if isinstance(value, list):
        return any(map(_differs, value))
    return value is None or isinstance(value, bool)
