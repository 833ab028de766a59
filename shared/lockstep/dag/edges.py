"""A DAG: find or create it, and store the neighbours of its nodes."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

from pydantic import Field

from lockstep.clock import now
from lockstep.dag.item import IDS_PER_PART, Dag, Direction, Edge, EdgePart, pack
from lockstep.dynamodb.client import ConditionFailedError, update
from lockstep.dynamodb.item import Item
from lockstep.dynamodb.parallel import chunks
from lockstep.dynamodb.puts import put_repeatable
from lockstep.dynamodb.reads import fetch_present
from lockstep.errors import NotFoundError
from lockstep.http.fields import MAX_NEIGHBOURS, NodeId
from lockstep.http.models import Request

MOST_INLINE: Final = 240
"""The neighbours, up and down each, that a node's own item holds: it takes at most 4 kB. A longer list lies in parts:
whoever asks for the nodes below does not read the nodes above.
"""
_PARTS_AT_ONCE: Final = 100
"""The parts of long lists that are read at once: what stands under their keys may take 38 MB."""
_LISTS: Final = ("upstream", "downstream", "upstream_in_parts", "downstream_in_parts")
"""What a node's item holds of its neighbours."""
Neighbours = Annotated[list[NodeId], Field(max_length=MAX_NEIGHBOURS)]


class EdgesToAdd(Request):
    """A node and its neighbours."""

    node_id: NodeId
    upstream_node_ids: Neighbours | None
    downstream_node_ids: Neighbours | None


def bind_dag(dag_id: int) -> float | None:
    """Find or create a DAG. Return when its edges were complete; None while they are not."""
    try:
        update(Dag.key(dag_id), [Dag.made_at.set(now())], Dag.pk.does_not_exist())
    except ConditionFailedError as failed:
        [found] = failed.found
        return Dag.from_raw_data(found or {}).created_date
    return None


def add_edges(dag_id: int, edges: Sequence[EdgesToAdd], *, complete: bool) -> None:
    """Store the neighbours of nodes, and if they complete the DAG, when that was.

    The first of a node's edges in one call counts. Whoever sees a node's item sees all its neighbours. A call that
    fails may have stored some nodes; the same call again stores the rest.

    Raises:
        NotFoundError: no such DAG.
    """
    key = Dag.key(dag_id)
    raw = fetch_present([key]).get(key)
    if not raw:
        raise NotFoundError(f"DAG {dag_id} does not exist")
    put_all(dag_id, edges)
    if complete and Dag.from_raw_data(raw).created_date is None:
        first = [Dag.node_id.set(Dag.node_id | edge.node_id) for edge in edges[:1]]
        update(key, [Dag.created_date.set(Dag.created_date | now()), *first], Dag.pk.exists())


def put_all(dag_id: int, edges: Sequence[EdgesToAdd]) -> None:
    """Write a DAG's edges: first the parts of long lists, then the items that lead to them."""
    of_nodes = {edge.node_id: edge for edge in reversed(edges)}.values()
    parts = [part for edge in of_nodes for part in _parts(dag_id, edge)]
    put_repeatable(parts, told_apart_by=["node_ids"], read_at_once=_PARTS_AT_ONCE)
    put_repeatable([_edge(dag_id, edge) for edge in of_nodes], told_apart_by=_LISTS)


def _edge(dag_id: int, edge: EdgesToAdd) -> Edge:
    upstream, downstream = edge.upstream_node_ids or [], edge.downstream_node_ids or []
    return Edge(
        *Edge.key(dag_id, edge.node_id),
        upstream=_inline(upstream),
        downstream=_inline(downstream),
        upstream_in_parts=_in_parts(upstream),
        downstream_in_parts=_in_parts(downstream),
    )


def _inline(ids: Sequence[int]) -> bytes | None:
    return pack(ids) if 0 < len(ids) <= MOST_INLINE else None


def _in_parts(ids: Sequence[int]) -> int | None:
    return len(ids) if len(ids) > MOST_INLINE else None


def _parts(dag_id: int, edge: EdgesToAdd) -> Iterator[Item]:
    lists: dict[Direction, list[int] | None] = {"UP": edge.upstream_node_ids, "DOWN": edge.downstream_node_ids}
    for direction, ids in lists.items():
        if ids and _in_parts(ids):
            keys = EdgePart.keys(dag_id, edge.node_id, direction, len(ids))
            for key, part in zip(keys, chunks(sorted(ids), IDS_PER_PART), strict=True):
                yield EdgePart(*key, node_ids=pack(part))
