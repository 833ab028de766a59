"""Whatever reads an index is right although the index lags, and although an entry moves while a query reads it.

AWS documents neither how far an index lags nor that a query sees a moving entry exactly once. The fault "each entry of
an index twice" is in kinds.py. An entry that is missed or old may make a reply poorer, but it tears nothing, and the
same request again finds what there is.

template.yaml grants each function the indexes that it queries, and no other one: each of these routes must have a
scenario that queries each of its indexes.
"""

from collections import defaultdict
from dataclasses import replace
from typing import Final

import pytest

from local.template import Template
from lockstep.array.run_index import read_due, unended_batches, waiting_batches
from lockstep.clock import now
from lockstep.context import request
from lockstep.dynamodb.item import Item
from lockstep.routes import ROUTES
from tests.support.memory.operations import Reply, Table, answer
from tests.support.seeding import batch, run_of
from tests.verification.faults.engine import FOREVER, Call, Fault, Struck, World, working
from tests.verification.faults.kinds import FAULTS
from tests.verification.faults.matrix import Clean, limited, play_clean, run
from tests.verification.faults.rules import violations
from tests.verification.faults.scenarios import RESUMES, SCENARIOS, Ask, Scenario

INDEXES: Final = {index.Meta.index_name for index in Item._indexes.values()}  # noqa: SLF001  # PynamoDB has no public list
MAY_QUERY: Final = {
    route.name: {grant.on.rpartition("/")[2] for grant in Template().grants[route.name] if "/index/" in grant.on}
    for route in ROUTES
}
"""The indexes that each route's function may query."""


def _missed(call: Call) -> Reply:
    reply = call.carry_out()
    return reply._replace(body={**reply.body, "Items": reply.body["Items"][1:]})


MISSED: Final = Fault("an entry is missed", _missed, operations=frozenset({"Query"}))


def lags_at(earlier: Table) -> Fault:
    """Every index shows what stood in the table at an earlier time."""

    def strike(call: Call) -> Reply:
        if "IndexName" in call.request:
            return answer(earlier, call.operation, call.request)[1]
        return call.carry_out()

    return Fault("every index lags", strike, operations=frozenset({"Query"}))


def played(world: World, scenario: Scenario) -> tuple[Clean, list[Table]]:
    """A scenario on a good day, and what stood in the table before each write of its preparation."""
    earlier: list[Table] = []

    def prepare() -> Ask:
        asked = scenario.prepare()
        earlier.extend({id(sent.after): sent.after for sent in world.sent}.values())
        return asked

    clean = play_clean(world, replace(scenario, prepare=prepare))
    return clean, [Table(), *earlier]


def queries(clean: Clean) -> list[int]:
    """The positions of the queries of an index that found something."""
    return [
        position
        for position, sent in enumerate(clean.sent)
        if sent.of_index and sent.reply and sent.reply.body["Items"]
    ]


def torn(world: World, scenario: Scenario, clean: Clean, plan: Struck) -> list[str]:
    """What is wrong beside the first reply.

    A run that ends stops what the indexes show. What they do not show is left as by a run that ends by itself.
    """
    wrong = run(world, scenario, clean, [plan]).wrong
    if scenario in RESUMES:
        wrong = violations(clean.before.items, world.table.items)
    return [f"{plan}: {what}" for what in wrong if not what.startswith("answered")]


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if MAY_QUERY[each.route]], ids=str)
def test_what_an_index_does_not_show_is_found_by_the_next_request(scenario: Scenario) -> None:
    with working() as world, limited(scenario):
        clean, earlier = played(world, scenario)
        for position in queries(clean):
            assert torn(world, scenario, clean, Struck(MISSED, position, 1)) == []
        for table in (earlier[0], earlier[len(earlier) // 2], earlier[-2]) if queries(clean) else ():
            assert torn(world, scenario, clean, Struck(lags_at(table), 0, FOREVER)) == []


def test_some_scenario_of_each_route_finds_something_in_each_of_its_indexes() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    with working() as world:
        for scenario in SCENARIOS:
            if found[scenario.route] != MAY_QUERY[scenario.route]:
                with limited(scenario):
                    clean = play_clean(world, scenario)
                found[scenario.route] |= {str(clean.sent[position].of_index) for position in queries(clean)}
    assert found == MAY_QUERY
    assert set().union(*found.values()) == INDEXES


def test_an_entry_that_is_seen_twice_counts_once() -> None:
    [twice] = [fault for fault in FAULTS if fault.name == "each entry of an index twice"]
    with working() as world, request():
        run_id = run_of(batch({"status": "Q"}, {"status": "T"})[0])
        later = now() + 10_000
        once = _seen(run_id, later)
        world.begin(world.table, [Struck(twice, 0, 10)])
        assert _seen(run_id, later) == once
    assert once == (1, 1, 1, 1)


def _seen(run_id: int, moment: float) -> tuple[int, ...]:
    attention = read_due(run_id, moment)
    batches = [*attention.batches], [*waiting_batches(run_id)], [*unended_batches(run_id)]
    return len(attention.instances), *map(len, batches)
