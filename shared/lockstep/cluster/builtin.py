"""A cluster and a queue, and those that Jobmon's three built-in plugins need. Nothing can change these."""

from typing import Final, NamedTuple


class Cluster(NamedTuple):
    """A cluster as Jobmon's programs read it: positional."""

    id: int
    name: str
    cluster_type_name: str
    """The plugin: jobmon.plugins.<this>."""
    connection_parameters: str | None
    """JSON: what the plugin's distributor is made with. None: nothing beside its name."""


class Queue(NamedTuple):
    """A queue as Jobmon's client reads it: positional."""

    id: int
    """Unique among the queues of all clusters."""
    name: str
    parameters: str
    """The queue's limits for Jobmon's plugin: a mapping as a Python literal."""


class Placed(NamedTuple):
    """A queue with its cluster."""

    cluster: Cluster
    queue: Queue


CLUSTERS: Final = (
    (Cluster(1, "dummy", "dummy", None), (Queue(1, "null.q", "{}"),)),
    (Cluster(2, "sequential", "sequential", None), (Queue(2, "null.q", "{}"),)),
    (Cluster(3, "multiprocess", "multiprocess", None), (Queue(3, "null.q", '{"cores": (1,20)}'),)),
)
"""The built-in clusters with their queues, word for word as Jobmon has them."""
FIRST_ID: Final = 4
"""The least id that another cluster, or another queue, may have."""
