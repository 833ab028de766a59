"""Events against docs/openapi.json. That replies are what it says, test_events.py looks at with every reply."""

from typing import Any

import pytest

from local.events import Event, body_of, cases, read, route_name
from tests.conformance.test_events import send
from tests.support import described
from tests.support.described import OPERATIONS

GOOD = [name for name, case in cases().items() if case.status == 200]
UNFIT = [
    name
    for name, case in cases().items()
    if case.status == 422 and "id_not_a_number" not in name and "requestBody" in OPERATIONS[route_name(name)]
]
FIT_BUT_REFUSED = {
    "bind_resources.unknown_queue",
    "bind_tasks_no_args.no_such_array",
    "bind_task_attributes.unknown_task",
    "bind_task_template.no_such_tool_version",
    "create_tool_version.no_such_tool",
    "task_status_updates.no_time",
}
"""A schema cannot know which arrays, tasks, tools and queues there are, nor what a time looks like."""
WITH_ID = sorted(
    name
    for name, operation in OPERATIONS.items()
    if any(parameter["in"] == "path" for parameter in operation.get("parameters", []))
)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_body_fits_its_schema(name: str) -> None:
    operation, body = OPERATIONS[route_name(name)], body_of(read(name))
    if "requestBody" in operation:
        described.request(route_name(name)).validate(body)
    else:
        assert body in (None, {})


@pytest.mark.parametrize("name", UNFIT)
def test_a_bad_body_fits_no_schema(name: str) -> None:
    assert described.request(route_name(name)).is_valid(body_of(read(name))) == (name in FIT_BUT_REFUSED)


@pytest.mark.usefixtures("table")
@pytest.mark.parametrize("name", WITH_ID)
def test_a_404_is_announced_where_it_can_come(name: str) -> None:
    status, _ = send(name, about(read(name), "0"))
    if name in ASKS_FOR_WHAT_A_TASK_NAMES:
        assert status == 200
    else:
        assert (status == 404) == ("404" in OPERATIONS[name]["responses"])


ASKS_FOR_WHAT_A_TASK_NAMES = {"queue_task_batch", "get_tasks"}
"""The one looks for its array only where a task says it is in it, the other for the queue of a task that there is."""


def about(event: Event, value: Any) -> Event:
    """The event, about things that there are not."""
    return event | {"pathParameters": dict.fromkeys(event["pathParameters"], value)}
