"""GET /api/v3/cluster/{cluster_name}: where a distributor or a worker node learns which plugin to use."""

from typing import Annotated

from pydantic import WithJsonSchema

from lockstep.clusters import CLUSTERS, Cluster
from lockstep.endpoint import endpoint
from lockstep.wire import Nothing, Reply, Request, Text


class ClusterPath(Request):
    """The path of a route about a cluster."""

    cluster_name: Annotated[Text, WithJsonSchema({"type": "string", "minLength": 1})]


class ClusterReply(Reply):
    """The cluster; null where there is none of that name."""

    cluster: Cluster | None


@endpoint(ClusterPath, Nothing)
def lambda_handler(path: ClusterPath, _: Nothing) -> ClusterReply:
    """One of the clusters that exist from the start."""
    return ClusterReply(cluster=CLUSTERS.get(path.cluster_name))
