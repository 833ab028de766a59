"""Give nodes their ids, and store their arguments."""

from typing import Annotated

from pydantic import Field

from lockstep.dag.nodes import NodeToBind, bind_nodes
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import MAX_NODES_PER_CALL
from lockstep.http.models import Reply, Request


class NodesToBind(Request):
    """Nodes; the order and doubles do not matter."""

    nodes: Annotated[list[NodeToBind], Field(max_length=MAX_NODES_PER_CALL)]


class NodesReply(Reply):
    """The nodes' ids, by `<task template version>:<hash of the arguments>`."""

    nodes: dict[str, int]


@endpoint("bind_nodes")
def lambda_handler(body: NodesToBind) -> NodesReply:
    """Derive each node's id from its template version and the hash of its arguments. The id never changes."""
    return NodesReply(nodes=bind_nodes(body.nodes))
