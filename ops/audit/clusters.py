"""Check the clusters: programs can read them, no two share what must be their own, and resources name their queues."""

import ast
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from lockstep.cluster.builtin import CLUSTERS, FIRST_ID, Cluster, Queue
from lockstep.cluster.item import Clusters
from lockstep.dynamodb.item import MAX_ID
from ops.audit.invariants.finding import Finding, first_of
from ops.audit.invariants.parsing import Parsed
from ops.audit.reader import Reads
from ops.audit.seen import Seen

_STORED: Final = TypeAdapter(list[tuple[Cluster, list[Queue]]])
_ABOUT: Final = Clusters.key().pk


def check(seen: Seen, reads: Reads) -> Iterator[Finding]:
    """The broken invariants of the clusters, and the queues that resources name and that do not exist."""
    stored: list[tuple[Cluster, list[Queue]]] = []
    for raw in reads.items([Clusters.key()]).values():
        parsed = reads.parse(raw)
        if isinstance(parsed, Parsed) and isinstance(parsed.item, Clusters):
            try:
                stored = _STORED.validate_python(parsed.item.clusters)
            except ValidationError as error:
                yield Finding("malformed-item", _ABOUT, f"unreadable: {error.errors()[0]['msg']}", "lists of clusters")
                return
    yield from _twice(stored)
    for cluster, queues in stored:
        yield from _values(cluster, queues)
    known = {queue.id for _, queues in (*CLUSTERS, *stored) for queue in queues}
    if missing := sorted(seen.queues - known):
        got = f"queue {first_of(missing)}, which no cluster has"
        yield Finding("queue-missing", "requested resources", got, "a queue of a cluster")


def _twice(stored: list[tuple[Cluster, list[Queue]]]) -> Iterator[Finding]:
    whole = [*CLUSTERS, *stored]
    for what, values in (
        ("cluster names", [cluster.name for cluster, _ in whole]),
        ("cluster ids", [cluster.id for cluster, _ in whole]),
        ("queue ids", [queue.id for _, queues in whole for queue in queues]),
        ("queues of a cluster", [(cluster.id, queue.name) for cluster, queues in whole for queue in queues]),
    ):
        if len(set(values)) < len(values):
            yield Finding("clusters", _ABOUT, f"with {what} that occur twice", "with each of them once")


def _values(cluster: Cluster, queues: list[Queue]) -> Iterator[Finding]:
    about = f"{_ABOUT}, cluster {cluster.name}"
    ids = [cluster.id, *(queue.id for queue in queues)]
    if outside := [number for number in ids if not FIRST_ID <= number <= MAX_ID]:
        yield Finding("clusters", about, f"with the ids {first_of(outside)}", f"with ids from {FIRST_ID} on")
    if cluster.connection_parameters is not None and not _is_mapping(json.loads, cluster.connection_parameters):
        yield Finding("clusters", about, "with connection parameters that are no object", "with a JSON object")
    for queue in queues:
        if not _is_mapping(ast.literal_eval, queue.parameters):
            got = f"with a queue {queue.name} whose parameters are no mapping"
            yield Finding("clusters", about, got, "with a mapping as a Python literal")


def _is_mapping(read: Callable[[str], Any], text: str) -> bool:
    try:
        return isinstance(read(text), dict)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False  # the errors that ast.literal_eval documents, and those of json
