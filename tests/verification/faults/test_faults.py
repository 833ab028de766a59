"""Every fault at every call. Here a sample of it, always the same; `make faults` tries all."""

from collections.abc import Iterable, Iterator
from random import Random

import pytest

from local.template import Template
from lockstep.clock import BUDGET_SECONDS, BULK_BUDGET_SECONDS, CALL_SECONDS
from lockstep.dynamodb.client import RETRIES
from lockstep.dynamodb.item import Item
from lockstep.routes import ROUTES
from tests.verification.faults.engine import Struck, World, working
from tests.verification.faults.kinds import FAULTS
from tests.verification.faults.matrix import Clean, every_fault, limited, pairs_of_faults, play_clean, sampled, try_out
from tests.verification.faults.scenarios import SCENARIOS, TIMEOUTS, Scenario

ONE_OF = 116
ONE_OF_FEW = 12
"""Of the faults of the routes that send statements or put items: no other one can have those."""
OF_AN_INDEX = ("each entry of an index twice", 1)
"""The fault of which the sample holds all: few scenarios query an index."""
PAIRS = 1


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with working() as world:
        yield world


@pytest.fixture(scope="module")
def played() -> dict[str, Clean]:
    """Scenarios that have been played on a good day, by their names."""
    return {}


def some(scenario: Scenario, clean: Clean) -> Iterable[list[Struck]]:
    few = scenario.route in {"add_edges", "array_log_distributor_id", "bind_nodes", "log_report_by_batch"}
    return [
        *sampled(every_fault(scenario, clean), scenario, ONE_OF_FEW if few else ONE_OF),
        *(plan for plan in every_fault(scenario, clean) if (plan[0].fault.name, plan[0].times) == OF_AN_INDEX),
        *pairs_of_faults(clean, Random(str(scenario)), PAIRS),  # noqa: S311  # a sample, not a secret
    ]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_whatever_fails_the_reply_is_right_or_a_503_and_sent_again_it_is_as_if_nothing_had(
    world: World, played: dict[str, Clean], scenario: Scenario
) -> None:
    def plans(scenario: Scenario, clean: Clean) -> Iterable[list[Struck]]:
        played.setdefault(str(scenario), clean)
        return some(scenario, clean)

    assert try_out(world, scenario, plans).failures == []


def test_every_route_is_tried() -> None:
    assert {scenario.route for scenario in SCENARIOS} == {route.name for route in ROUTES}


def test_every_route_that_may_use_the_table_does_and_the_sample_holds_every_fault(
    world: World, played: dict[str, Clean]
) -> None:
    asks, struck = set(), set()
    for scenario in SCENARIOS:
        with limited(scenario):
            clean = played.get(str(scenario)) or play_clean(world, scenario)
        asks |= {scenario.route} if clean.sent else set()
        struck |= {plan[0].fault.name for plan in some(scenario, clean) if len(plan) == 1}
    assert asks == {route.name for route in ROUTES if Template().grants[route.name]}
    assert struck == {fault.name for fault in FAULTS}


def test_no_scenario_bears_the_name_of_another() -> None:
    assert len({str(scenario) for scenario in SCENARIOS}) == len(SCENARIOS)


def test_what_a_call_may_take_follows_from_the_settings() -> None:
    tries = RETRIES["total_max_attempts"] * (Item.Meta.connect_timeout_seconds + Item.Meta.read_timeout_seconds)
    assert tries + 1 == CALL_SECONDS
    assert {TIMEOUTS[scenario.route] - scenario.budget - CALL_SECONDS for scenario in SCENARIOS} == {1}
    assert (BUDGET_SECONDS, BULK_BUDGET_SECONDS) == (6, 10)
