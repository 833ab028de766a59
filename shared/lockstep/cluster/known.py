"""Find clusters and queues: the built-in ones, and those that `make clusters` loaded.

The table is read at most once in LOOK_AGAIN_SECONDS by each process, whatever callers ask for.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from lockstep.cluster.builtin import CLUSTERS, Cluster, Placed, Queue
from lockstep.cluster.item import Clusters
from lockstep.dynamodb.reads import fetch

R = TypeVar("R")

FRESH_SECONDS: Final = 300.0
"""The seconds that a cluster is cached after it was read. A change takes effect within that time."""
LOOK_AGAIN_SECONDS: Final = 1.0
"""The shortest time between two reads that unknown names and ids cause."""


class Known(NamedTuple):
    """Indexes of clusters and queues: by name and by id."""

    clusters: Mapping[str, Cluster]
    """Clusters by name."""
    queues: Mapping[tuple[int, str], Queue]
    """Queues by the cluster's id and the queue's name."""
    by_id: Mapping[int, Placed]
    """Queues by their own id."""

    @classmethod
    def of(cls, clusters: Iterable[tuple[Cluster, Sequence[Queue]]]) -> "Known":
        """Index clusters and their queues."""
        placed = [(cluster, queues) for cluster, queues in clusters]
        return cls(
            {cluster.name: cluster for cluster, _ in placed},
            {(cluster.id, queue.name): queue for cluster, queues in placed for queue in queues},
            {queue.id: Placed(cluster, queue) for cluster, queues in placed for queue in queues},
        )


BUILT_IN: Final = Known.of(CLUSTERS)


class _Loaded:
    """A cache of the clusters that the table holds."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._known = Known({}, {}, {})
        self._read_at = float("-inf")

    def read_within(self, seconds: float) -> Known:
        if time.monotonic() - self._read_at >= seconds:
            began = time.monotonic()
            raw = fetch([Clusters.key()], consistent=True).get(Clusters.key())
            self._known = Known.of(Clusters.from_raw_data(raw).with_queues() if raw else ())
            self._read_at = began
        return self._known


_LOADED: Final = _Loaded()


def forget() -> None:
    """Empty the cache: for programs that load clusters, as no function does."""
    _LOADED.forget()


def find_cluster(name: str) -> Cluster | None:
    """Return the cluster with a name, or None."""
    return _find(lambda known: known.clusters.get(name))


def find_queue(cluster_id: int, name: str) -> Queue | None:
    """Return a cluster's queue with a name, or None."""
    return _find(lambda known: known.queues.get((cluster_id, name)))


def queue_with_id(queue_id: int) -> Placed | None:
    """Return the queue with an id and its cluster, or None."""
    return _find(lambda known: known.by_id.get(queue_id))


def _find(look: Callable[[Known], R | None]) -> R | None:
    """Look among the built-in clusters, then in the cache, and read the table again for one that is in neither."""
    found = look(BUILT_IN)
    for seconds in (FRESH_SECONDS, LOOK_AGAIN_SECONDS):
        if found is None:
            found = look(_LOADED.read_within(seconds))
    return found
