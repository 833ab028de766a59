"""Show which plugin a cluster needs."""

from typing import Annotated

from pydantic import WithJsonSchema

from lockstep.cluster.builtin import Cluster
from lockstep.cluster.known import find_cluster
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Text
from lockstep.http.models import Reply, Request


class ClusterPath(Request):
    """The path of a route about a cluster."""

    cluster_name: Annotated[Text, WithJsonSchema({"type": "string", "minLength": 1})]


class ClusterReply(Reply):
    """The cluster; null if none has that name."""

    cluster: Cluster | None


@endpoint("get_cluster")
def lambda_handler(path: ClusterPath) -> ClusterReply:
    """Return a built-in cluster, or one that was loaded."""
    return ClusterReply(cluster=find_cluster(path.cluster_name))
