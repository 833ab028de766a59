"""Replays a case of events/cases on the table of events/seed.json, and holds what it leads to against what it says."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from local.events import EXAMPLES, SEED, Event, cases, filled, read

Facts = dict[str, Any]
Send = Callable[[str, Event], tuple[int, Any]]
"""Hands a case's event to the function of its route; status and body of the reply."""


class Such:
    """Equal to every value that fits."""

    def __init__(self, what: str, fits: Callable[[Any], bool]) -> None:
        self._what = what
        self._fits = fits

    def __eq__(self, other: object) -> bool:
        return self._fits(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return self._what


def _after(last: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and value > last


def _is_moment(value: Any, *, ahead: bool = False) -> bool:
    return isinstance(value, str) and (datetime.fromisoformat(value) > datetime.now(UTC)) == ahead


SEEDED: Final = json.loads(SEED.read_text(encoding="utf-8"))
_FITS: Final[dict[str, Callable[[Any], bool]]] = {
    "<a new tool>": _after(max(tool["tool_id"] for tool in SEEDED["tools"])),
    "<a new tool version>": _after(max(version for tool in SEEDED["tools"] for version in tool["tool_version_ids"])),
    "<a new task template>": _after(max(template["task_template_id"] for template in SEEDED["task_templates"])),
    "<a new task template version>": _after(
        max(
            version["task_template_version_id"]
            for template in SEEDED["task_templates"]
            for version in template.get("versions", [])
        )
    ),
    "<a new array>": _after(max(array["array_id"] for array in SEEDED["arrays"])),
    "<a new task>": _after(max(task["task_id"] for task in SEEDED["tasks"])),
    "<new resources>": _after(max(task["task_resources_id"] for task in SEEDED["tasks"])),
    "<a new run>": _after(max(instance["workflow_run_id"] for instance in SEEDED["task_instances"])),
    "<a new workflow>": _after(max(workflow["workflow_id"] for workflow in SEEDED["workflows"])),
    "<an id>": _after(0),
    "<a time>": lambda value: bool(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", str(value))),
    "<a moment>": _is_moment,
    "<a moment ahead>": lambda value: _is_moment(value, ahead=True),
    "<some text>": lambda value: isinstance(value, str) and value != "",
    "<a page>": lambda value: isinstance(value, str) and value.startswith("<!doctype html>"),
}
PLACEHOLDERS: Final = {placeholder: Such(placeholder, _FITS[placeholder]) for placeholder in EXAMPLES}


def replay(name: str, send: Send, look_with: Send) -> None:
    """Send a case's event, and compare reply, instances and tasks with what the case says."""
    case = cases()[name]
    if case.after:
        send(case.after, read(case.after))
    status, body = send(name, read(name))
    wanted = filled(case.reply, PLACEHOLDERS)
    found = body if status == 200 else stated(body, wanted)
    assert (status, found) == (case.status, wanted), f"{name}: {status} {body}"
    for task_instance_id, facts in case.afterwards.items():
        wanted = filled(facts, PLACEHOLDERS)
        found = stated(look(look_with, task_instance_id), wanted)
        assert found == wanted, f"{name}, {task_instance_id}: {found} is not {wanted}"


def look(send: Send, task_instance_id: int) -> Facts:
    """The instance, its task and the texts of its error entries."""
    path = {"pathParameters": {"task_instance_id": str(task_instance_id)}}
    _, facts = send("get_task_instance", read("get_task_instance") | path)
    _, errors = send("task_instance_error_log", read("task_instance_error_log") | path)
    return dict(facts) | {"errors": [description for *_, description in errors["task_instance_error_log"]]}


def stated(actual: Any, wanted: Any) -> Any:
    """As much of the actual value as the wanted one states."""
    if isinstance(actual, dict) and isinstance(wanted, dict):
        return {key: stated(value, wanted[key]) for key, value in actual.items() if key in wanted}
    return actual
