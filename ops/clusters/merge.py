"""Put a file on top of what the table holds: ids never change, and nothing goes.

Resources name their queue by its id for good, so an id keeps its name and its cluster. What a file leaves out stays.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lockstep.cluster.builtin import Cluster, Queue
from lockstep.cluster.known import Known
from ops.clusters.document import Document, FileError, Place, Problem, shown
from ops.clusters.file import ClustersFile

Stored = Sequence[tuple[Cluster, Sequence[Queue]]]
"""Clusters with their queues, both in the order of their ids."""


class Merged(NamedTuple):
    """The new clusters of the table, and their differences from the old ones."""

    clusters: Stored
    new: int
    """Clusters and queues that the table did not have."""
    changed: int
    """Clusters and queues that it had otherwise."""


def merge(document: Document, file: ClustersFile, stored: Stored) -> Merged:
    """Add a file's clusters and queues to those that are stored, and change those that are.

    Raises:
        FileError: the file gives a known cluster or queue another id, or a known id to another cluster or queue.
    """
    if problems := [*_problems(document, file, stored)]:
        raise FileError(problems)
    clusters = {cluster.id: cluster for cluster, _ in stored}
    queues = {queue.id: (cluster.id, queue) for cluster, of_cluster in stored for queue in of_cluster}
    wanted = {entry.id: entry.cluster() for entry in file.clusters}
    wanted_queues = {each.id: (entry.id, each.queue()) for entry in file.clusters for each in entry.queues}
    new = len(wanted.keys() - clusters.keys()) + len(wanted_queues.keys() - queues.keys())
    changed = sum(clusters.get(number, cluster) != cluster for number, cluster in wanted.items())
    changed += sum(queues.get(number, placed) != placed for number, placed in wanted_queues.items())
    clusters |= wanted
    queues |= wanted_queues
    whole = [
        (clusters[number], [queue for _, (of, queue) in sorted(queues.items()) if of == number])
        for number in sorted(clusters)
    ]
    return Merged(whole, new, changed)


def _problems(document: Document, file: ClustersFile, stored: Stored) -> Iterator[Problem]:
    known = Known.of(stored)
    names = {cluster.id: cluster.name for cluster in known.clusters.values()}
    for number, cluster in enumerate(file.clusters):
        here: Place = ("clusters", number)
        had = known.clusters.get(cluster.name)
        if had and had.id != cluster.id:
            yield document.problem((*here, "id"), f"cluster {shown(cluster.name)} has the id {had.id} for good")
        elif names.get(cluster.id, cluster.name) != cluster.name:
            owner = shown(names[cluster.id])
            yield document.problem((*here, "id"), f"the id {cluster.id} is that of cluster {owner} for good")
        for position, queue in enumerate(cluster.queues):
            there: Place = (*here, "queues", position)
            before = known.queues.get((cluster.id, queue.name))
            placed = known.by_id.get(queue.id)
            if before and before.id != queue.id:
                yield document.problem((*there, "id"), f"queue {shown(queue.name)} has the id {before.id} for good")
            elif placed and (placed.cluster.id, placed.queue.name) != (cluster.id, queue.name):
                owner = f"queue {shown(placed.queue.name)} of cluster {shown(placed.cluster.name)}"
                yield document.problem((*there, "id"), f"the id {queue.id} is that of {owner} for good")
