"""The clusters and queues that Jobmon's three built-in plugins need. Nothing makes others."""

from typing import Final, NamedTuple


class Cluster(NamedTuple):
    """A cluster as Jobmon's programs read it, positional."""

    id: int
    name: str
    cluster_type_name: str
    """The plugin: jobmon.plugins.<this>."""
    connection_parameters: str | None
    """JSON: what the plugin's distributor is made with. None: nothing beside its name."""


CLUSTERS: Final = {
    cluster.name: cluster
    for cluster in (
        Cluster(1, "dummy", "dummy", None),
        Cluster(2, "sequential", "sequential", None),
        Cluster(3, "multiprocess", "multiprocess", None),
    )
}
QUEUE_NAME: Final = "null.q"
"""Of every cluster's one queue."""


class Queue(NamedTuple):
    """A queue as Jobmon's client reads it: positional."""

    id: int
    name: str
    parameters: str
    """Its limits: a Python literal, for the plugin."""


def find_queue(cluster_id: int, name: str) -> Queue | None:
    """The queue of a cluster that has a name; None if there is none.

    >>> find_queue(2, "null.q")
    Queue(id=2, name='null.q', parameters='{}')
    """
    known = name == QUEUE_NAME and any(cluster.id == cluster_id for cluster in CLUSTERS.values())
    return Queue(cluster_id, QUEUE_NAME, _LIMITS.get(cluster_id, "{}")) if known else None


_LIMITS: Final = {CLUSTERS["multiprocess"].id: '{"cores": (1,20)}'}
"""The limits of a cluster's queue, as Jobmon's own database has them."""


def cluster_of_queue(queue_id: int) -> Cluster | None:
    """The cluster whose queue has an id: its one queue has the cluster's own."""
    return next((cluster for cluster in CLUSTERS.values() if cluster.id == queue_id), None)
