"""The stored item of the clusters: all that `make clusters` loaded, in one item."""

from collections.abc import Iterator
from typing import ClassVar, Final

from pynamodb.attributes import JSONAttribute

from lockstep.cluster.builtin import Cluster, Queue
from lockstep.dynamodb.item import IntegerAttribute, Item, Key


class Clusters(Item):
    """All clusters but the built-in ones. Never expires, and never loses a cluster or a queue."""

    SORT_KEY: Final = "CLUSTERS"
    KEY_FORMS: ClassVar = (Key("CLUSTERS", SORT_KEY),)

    version = IntegerAttribute()
    """The number of changes."""
    clusters = JSONAttribute()
    """A list. A cluster is a list of two: the values of its Cluster, and a list with those of each Queue."""

    @staticmethod
    def key() -> Key:
        """The key of the item.

        >>> Clusters.key()
        Key(pk='CLUSTERS', sk='CLUSTERS')
        """
        return Key(Clusters.SORT_KEY, Clusters.SORT_KEY)

    def with_queues(self) -> Iterator[tuple[Cluster, list[Queue]]]:
        """Return each cluster with its queues."""
        for cluster, queues in self.clusters:
            yield Cluster(*cluster), [Queue(*queue) for queue in queues]
