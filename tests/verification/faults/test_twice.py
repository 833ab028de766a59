"""The same request comes twice at once: a client repeats a call that is still under way, or two clients send it.

The second one is served just before any of the first one's requests to DynamoDB. Both are answered as two calls one
after the other are, or as EXPLAINED says, and the table stands as after one call or two.
"""

from binascii import crc32
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest

from lockstep.routes import ROUTES
from tests.verification.faults.engine import World, working
from tests.verification.faults.matrix import limited, meet, play_clean
from tests.verification.faults.scenarios import REPORTS, SCENARIOS, Scenario

ONE_OF: Final = 8
"""Of the scenarios of a report about one instance: they are many."""


def _is_told_to_stop(reply: Any, clean: Any) -> bool:
    return [reply["task_instance"][1], *clean["task_instance"][2:]] == ["K", *reply["task_instance"][2:]]


def _is_told_of_the_other(reply: Any, _: Any) -> bool:
    return reply["workflow_run_id"] is None and "holds the workflow" in reply["err_msg"]


EXPLAINED: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "log_running": _is_told_to_stop,
    "create_workflow_run": _is_told_of_the_other,
}
"""What is answered otherwise within a second: it cannot be told from a rival's (decisions 34 and 39)."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with working() as world:
        yield world


def _is_tried(scenario: Scenario) -> bool:
    return scenario.route not in REPORTS or crc32(str(scenario).encode()) % ONE_OF == 0


TRIED: Final = [scenario for scenario in SCENARIOS if _is_tried(scenario)]


@pytest.mark.parametrize("scenario", TRIED, ids=str)
def test_the_same_request_twice_at_once(world: World, scenario: Scenario) -> None:
    explained = EXPLAINED.get(scenario.route, scenario.also)
    with limited(scenario):
        clean = play_clean(world, scenario)
        for position in range(len(clean.sent)):
            assert meet(world, replace(scenario, also=explained), clean, position) == []


def test_every_route_is_sent_twice_at_once() -> None:
    assert {scenario.route for scenario in TRIED} == {route.name for route in ROUTES}
