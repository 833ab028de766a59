"""Replies in a form that can be compared: without what no document promises, such as an order."""

from ast import literal_eval
from collections.abc import Callable
from typing import Any, Final


def comparable(route: str, reply: Any) -> Any:
    """A reply to a route, as the oracle predicts it."""
    return FORMS.get(route, lambda reply: reply)(reply)


def _error_log(reply: Any) -> Any:
    rows = reply["task_instance_error_log"]
    assert [row[1] for row in rows] == sorted(row[1] for row in rows), "in time order"
    assert len({row[0] for row in rows}) == len(rows), "each with an id of its own"
    return sorted((at, words) for _, at, words in rows)


def _status_updates(reply: Any) -> Any:
    return {**reply, "tasks_by_status": {status: sorted(ids) for status, ids in reply["tasks_by_status"].items()}}


def _matching(reply: Any) -> Any:
    return {"matching_workflows": sorted(reply["matching_workflows"])}


def _tasks(reply: Any) -> Any:
    """Jobmon's client reads the requested resources as a Python literal."""
    return {"tasks": {number: [*row[:5], literal_eval(row[5]), *row[6:]] for number, row in reply["tasks"].items()}}


FORMS: Final[dict[str, Callable[[Any], Any]]] = {
    "task_instance_error_log": _error_log,
    "task_status_updates": _status_updates,
    "get_matching_workflows": _matching,
    "get_tasks": _tasks,
}
