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
