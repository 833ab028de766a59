"""The contracts of the routes in functions/cluster."""

from typing import Final

from functions.cluster.get_cluster.app import ClusterReply
from functions.cluster.get_queue.app import QueueReply
from lockstep.access.scopes import Scope
from lockstep.cluster.builtin import Cluster, Queue
from lockstep.dynamodb.item import MAX_ID
from ops.clusters.file import MOST_BYTES_OF_A_NAME
from tests.support.contract import Contract, Usage
from tests.support.largest import LARGEST_PARAMETERS, PRINTABLE

PLUGIN: Final = "\u00e9" * (MOST_BYTES_OF_A_NAME // 2)
"""Of the characters of an identifier."""
GET_CLUSTER = Contract(
    scope=Scope.WORKER,
    usage=Usage(0, 0, 0),
    reads="nothing; all loaded clusters (400 kB), where none is cached",
    largest=ClusterReply(cluster=Cluster(MAX_ID, PRINTABLE, PLUGIN, LARGEST_PARAMETERS)),
    unknown=200,
    texts=frozenset({"cluster_name"}),
)
GET_QUEUE = Contract(
    scope=Scope.READER,
    usage=Usage(0, 0, 0),
    reads="nothing; all loaded clusters (400 kB), where none is cached",
    largest=QueueReply(queue=Queue(MAX_ID, PRINTABLE, LARGEST_PARAMETERS)),
    unknown=200,
    texts=frozenset({"queue_name"}),
)
