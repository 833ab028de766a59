"""Store the neighbours of a DAG's nodes."""

from typing import Annotated

from pydantic import Field

from lockstep.dag.edges import EdgesToAdd, add_edges
from lockstep.http.common import NoReply
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import MAX_NODES_PER_CALL, IdInPath
from lockstep.http.models import Request


class DagPath(Request):
    """The path of a route about one DAG."""

    dag_id: IdInPath


class DagEdges(Request):
    """Nodes with their neighbours, and whether the DAG is complete with them."""

    edges_to_add: Annotated[list[EdgesToAdd], Field(max_length=MAX_NODES_PER_CALL)]
    mark_created: bool | None


@endpoint("add_edges")
def lambda_handler(path: DagPath, body: DagEdges) -> NoReply:
    """Store edges. Several clients may send the same ones at once and again; the last edges complete the DAG."""
    add_edges(path.dag_id, body.edges_to_add, complete=bool(body.mark_created))
    return NoReply()
