"""Store the neighbours of a DAG's nodes."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import pytest

from local.meter import Meter
from lockstep.context import request
from lockstep.dag.edges import MOST_INLINE
from lockstep.dag.item import IDS_PER_PART, Dag, Edge, EdgePart, unpack
from lockstep.dynamodb.reads import fetch
from lockstep.http.fields import MAX_NEIGHBOURS, MAX_NODES_PER_CALL
from lockstep.http.request import MAX_BODY_BYTES
from tests.conformance.recording import Player
from tests.routes.dag.test_bind_dag import HASHES, bind
from tests.support.costs import taken

Neighbours = tuple[list[int], list[int]]
LARGE: Final = 2**62 - 1_000_000
"""Ids of 19 digits, as nodes have them, begin here."""


def edge(node: Any, upstream: Any = (), downstream: Any = ()) -> dict[str, Any]:
    def listed(ids: Any) -> Any:
        return list(ids) if isinstance(ids, tuple | range) else ids

    return {"node_id": node, "upstream_node_ids": listed(upstream), "downstream_node_ids": listed(downstream)}


def send(player: Player, dag: int, *edges: dict[str, Any], mark_created: Any = False) -> tuple[int, Any]:
    body = json.dumps({"edges_to_add": edges, "mark_created": mark_created})
    return player.send("POST", f"/api/v3/dag/{dag}/edges", body)


def new_dag(player: Player) -> int:
    dag = next(HASHES)
    assert bind(player, dag)[0] == 200
    return dag


def stored(dag: int, *nodes: int) -> dict[int, Neighbours]:
    """The neighbours of the nodes that the DAG has."""
    with request(60):
        found = fetch([Edge.key(dag, node) for node in nodes], consistent=True)
        edges = {node: Edge.from_raw_data(found[key]) for node in nodes if (key := Edge.key(dag, node)) in found}
        return {
            node: (
                unpack(item.upstream or b"") + in_parts(EdgePart.keys(dag, node, "UP", item.upstream_in_parts or 0)),
                unpack(item.downstream or b"")
                + in_parts(EdgePart.keys(dag, node, "DOWN", item.downstream_in_parts or 0)),
            )
            for node, item in edges.items()
        }


def in_parts(keys: Any) -> list[int]:
    found = fetch(keys, consistent=True)
    return [number for key in keys for number in unpack(EdgePart.from_raw_data(found[key]).node_ids)]


def is_complete(player: Player, dag: int) -> bool:
    return bind(player, dag)[1]["created_date"] is not None


def test_the_last_edges_complete_the_dag(player: Player) -> None:
    dag = new_dag(player)
    assert send(player, dag, edge(1, (), (2,)), edge(2, (1,), (3,))) == (200, {})
    assert not is_complete(player, dag)
    assert send(player, dag, edge(3, (2,)), mark_created=True) == (200, {})
    assert is_complete(player, dag)
    assert stored(dag, 1, 2, 3, 4) == {1: ([], [2]), 2: ([1], [3]), 3: ([2], [])}


def test_the_same_edges_again_change_nothing(player: Player) -> None:
    dag = new_dag(player)
    for _ in range(2):
        assert send(player, dag, edge(1, (2, 3), (5, 4)), mark_created=True) == (200, {})
        assert stored(dag, 1) == {1: ([2, 3], [5, 4])}, "in the order in which they came"


@pytest.mark.parametrize("mark_created", [None, 0, False])
def test_what_is_no_mark_completes_nothing(player: Player, mark_created: Any) -> None:
    dag = new_dag(player)
    assert send(player, dag, edge(1), mark_created=mark_created) == (200, {})
    assert not is_complete(player, dag)


def test_the_call_that_completes_a_dag_notes_its_first_node(player: Player) -> None:
    dag = new_dag(player)
    for edges, completes, noted in (((3, 2), False, None), ((4, 1), True, 4), ((5,), True, 4)):
        send(player, dag, *map(edge, edges), mark_created=completes)
        with request(60):
            assert Dag.get(*Dag.key(dag), consistent_read=True).node_id == noted


def test_a_list_may_be_null_and_ids_may_be_text(player: Player) -> None:
    dag = new_dag(player)
    assert send(player, dag, edge(1, None, None), edge("2", ("1",), ("3", 4))) == (200, {})
    assert stored(dag, 1, 2) == {1: ([], []), 2: ([1], [3, 4])}


def test_the_first_of_a_nodes_edges_in_a_call_counts(player: Player) -> None:
    dag = new_dag(player)
    assert send(player, dag, edge(77, (), ()), edge(78), edge(77, (1,), ())) == (200, {})
    assert stored(dag, 77) == {77: ([], [])}


def test_edges_of_an_unknown_dag_are_a_404_and_are_not_stored(player: Player) -> None:
    dag = next(HASHES)
    for unknown in (dag, -dag, 10**30):
        status, problem = send(player, unknown, edge(1), mark_created=True)
        assert (status, problem["detail"]) == (404, f"DAG {unknown} does not exist")
    assert stored(dag, 1) == {}
    with request():
        assert not fetch([Dag.key(dag)], consistent=True)


def test_dags_keep_their_nodes_apart(player: Player) -> None:
    one, other = new_dag(player), new_dag(player)
    send(player, one, edge(1, (), (2,)))
    send(player, other, edge(1, (), (3,)))
    assert (stored(one, 1), stored(other, 1)) == ({1: ([], [2])}, {1: ([], [3])})


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"node_id": 1}, "edges_to_add.0.upstream_node_ids"),
        (edge(0), "edges_to_add.0.node_id"),
        (edge(2**63), "edges_to_add.0.node_id"),
        (edge(1.5), "edges_to_add.0.node_id"),
        (edge(1, (1, -1)), "edges_to_add.0.upstream_node_ids.1"),
        (edge(1, (), (None,)), "edges_to_add.0.downstream_node_ids.0"),
        (edge(1, "12"), "edges_to_add.0.upstream_node_ids"),
        (edge(1, [1] * (MAX_NEIGHBOURS + 1)), "edges_to_add.0.upstream_node_ids"),
    ],
    ids=["missing", "0", "too large", "a fraction", "negative", "null", "no list", "too many"],
)
def test_what_does_not_fit_is_named_and_nothing_is_stored(player: Player, wrong: Any, field: str) -> None:
    dag = new_dag(player)
    status, problem = send(player, dag, wrong, edge(9), mark_created=True)
    assert status == 422
    assert problem["errors"][0]["field"] == field
    assert (stored(dag, 1, 9), is_complete(player, dag)) == ({}, False)


def test_a_call_adds_a_bounded_number_of_nodes(player: Player) -> None:
    dag = new_dag(player)
    status, problem = send(player, dag, *map(edge, range(1, MAX_NODES_PER_CALL + 2)))
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["edges_to_add"])


def test_five_hundred_usual_nodes(player: Player, meter: Meter) -> None:
    dag = new_dag(player)
    nodes = range(LARGE, LARGE + 500)
    edges = [edge(node, (node - 1, node - 2), (node + 1,)) for node in nodes]
    body = {"edges_to_add": edges, "mark_created": True}
    assert taken(meter, player, "POST", f"/dag/{dag}/edges", body) == (1 + 20 + 1, 500 + 1, 0.5)
    assert stored(dag, *nodes) == {node: ([node - 1, node - 2], [node + 1]) for node in nodes}


@pytest.mark.parametrize(
    ("count", "requests", "units"),
    [
        (MOST_INLINE, 1 + 1, 1 + 2),
        (MOST_INLINE + 1, 1 + 1 + 1, 1 + 1 + 2),
        (50_000, 1 + 1 + 1, 1 + 1 + 368 + 24),
        (200_000, 1 + 1 + 1, 1 + 1 + 4 * 368 + 94),
    ],
)
def test_a_fan_in(player: Player, meter: Meter, count: int, requests: int, units: int) -> None:
    """One node with many above it: a list too long for its item lies in parts of 376 kB."""
    dag, upstream = new_dag(player), range(LARGE, LARGE + count)
    body = {"edges_to_add": [edge(1, upstream, (2,))], "mark_created": True}
    assert len(json.dumps(body)) < MAX_BODY_BYTES
    sent, written, read = taken(meter, player, "POST", f"/dag/{dag}/edges", body)
    assert (sent, read) == (requests + 1, 0.5)
    assert written == pytest.approx(units, abs=5)
    assert stored(dag, 1) == {1: (list(upstream), [2])}


def test_many_nodes_with_many_neighbours(player: Player) -> None:
    """As many ids as a body holds."""
    dag = new_dag(player)
    edges = {node: (range(node, node + 1_000), range(node + 1, node + 1_000)) for node in range(LARGE, LARGE + 100)}
    rows = [edge(node, *neighbours) for node, neighbours in edges.items()]
    assert send(player, dag, *rows, mark_created=True) == (200, {})
    assert stored(dag, *edges) == {node: (list(up), list(down)) for node, (up, down) in edges.items()}


def test_clients_that_store_a_long_list_at_once_store_the_same(api: httpx.Client, player: Player) -> None:
    """Each has it in an order of its own, as it made a list of a set. Parts of both must not mix."""
    dag, upstream = new_dag(player), list(range(LARGE, LARGE + 2 * IDS_PER_PART))
    orders = [random.Random(seed).sample(upstream, len(upstream)) for seed in range(4)]  # noqa: S311  # no secret
    with ThreadPoolExecutor(4) as threads:
        bodies = [{"edges_to_add": [edge(1, order)], "mark_created": True} for order in orders]
        replies = list(threads.map(lambda body: api.post(f"/dag/{dag}/edges", json=body), bodies))
    assert [reply.status_code for reply in replies] == [200] * 4
    assert stored(dag, 1) == {1: (upstream, [])}
