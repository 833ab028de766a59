"""An entry of the run index moves while a query reads it: AWS does not document that the query sees it exactly once.

The fault "each entry of an index twice" is in kinds.py. An entry that is missed may make a reply poorer, but it tears
nothing, and the same request again finds the entry.
"""

import pytest

from lockstep.array.attention import unended_batches, waiting_batches, what_needs_attention
from lockstep.clock import now
from lockstep.context import request
from lockstep.dynamodb.item import RunIndex
from tests.support.memory.operations import Reply
from tests.support.seeding import batch, run_of
from tests.verification.faults.engine import Call, Fault, Struck, working
from tests.verification.faults.kinds import FAULTS
from tests.verification.faults.matrix import Clean, limited, play_clean, run
from tests.verification.faults.scenarios import SCENARIOS, Scenario

CALLERS = {"set_status_for_triaging", "sync_status", "terminate_task_instances"}
"""The routes that query the run index."""


def _missed(call: Call) -> Reply:
    reply = call.carry_out()
    return reply._replace(body={**reply.body, "Items": reply.body["Items"][1:]})


MISSED = Fault("an entry is missed", _missed, operations=frozenset({"Query"}))


def queries(clean: Clean) -> list[int]:
    """The positions of the queries of the run index that found something."""
    return [
        position
        for position, sent in enumerate(clean.sent)
        if sent.of_index == RunIndex.Meta.index_name and sent.reply and sent.reply.body["Items"]
    ]


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if each.route in CALLERS], ids=str)
def test_an_entry_that_is_missed_is_found_by_the_next_request(scenario: Scenario) -> None:
    with working() as world, limited(scenario):
        clean = play_clean(world, scenario)
        for position in queries(clean):
            wrong = run(world, scenario, clean, [Struck(MISSED, position, 1)]).wrong
            assert [what for what in wrong if not what.startswith("answered")] == []


def test_some_scenario_of_each_route_queries_the_index() -> None:
    found = set()
    with working() as world:
        for scenario in SCENARIOS:
            with limited(scenario):
                found |= {scenario.route} if queries(play_clean(world, scenario)) else set()
    assert found == CALLERS


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
    attention = what_needs_attention(run_id, moment)
    batches = [*attention.batches], [*waiting_batches(run_id)], [*unended_batches(run_id)]
    return len(attention.instances), *map(len, batches)
