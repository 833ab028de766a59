"""The stored items of a DAG: itself, its nodes with their neighbours; and the arguments of nodes."""

import hashlib
import struct
from collections.abc import Sequence
from typing import ClassVar, Final, Literal

from pynamodb.attributes import BinaryAttribute, NumberAttribute

from lockstep.dynamodb.item import IntegerAttribute, Item, Key

Direction = Literal["UP", "DOWN"]
SHARDS: Final = 64
"""The partitions of a DAG's edges: each takes 1,000 write units a second."""
IDS_PER_PART: Final = 47_000
"""The neighbours that one item holds of a long list: 376,000 bytes."""


class Dag(Item):
    """A DAG. Its id is the hash that the client made of it. It never expires."""

    SORT_KEY: Final = "DAG"
    KEY_FORMS: ClassVar = (Key("DAG#<long>", SORT_KEY),)

    made_at = NumberAttribute()
    """The time at which a client first asked for the DAG."""
    created_date = NumberAttribute(null=True)
    """The time at which its last edges were stored. Without it, a client sends all edges."""
    node_id = IntegerAttribute(null=True)
    """The first node of the call that completed it, if it named any: its edges were stored before. For the audit."""

    @staticmethod
    def key(dag_id: int) -> Key:
        """The key of a DAG.

        >>> Dag.key(5)
        Key(pk='DAG#5', sk='DAG')
        """
        return Key(f"DAG#{dag_id}", Dag.SORT_KEY)


class Edge(Item):
    """The neighbours of one node in one DAG. Content follows from the key, so that it may be put again."""

    KEY_FORMS: ClassVar = (Key("DAG#<long>#<id>", "EDGE#<long>"),)

    upstream = BinaryAttribute(legacy_encoding=False, null=True)
    """The upstream nodes, packed. Absent: there are none, or they lie in parts."""
    downstream = BinaryAttribute(legacy_encoding=False, null=True)
    upstream_in_parts = IntegerAttribute(null=True)
    """The number of upstream nodes that are stored in parts."""
    downstream_in_parts = IntegerAttribute(null=True)

    @staticmethod
    def partition(dag_id: int, node_id: int) -> str:
        """The partition of a node's edges in a DAG.

        >>> Edge.partition(5, 130)
        'DAG#5#2'
        """
        return f"DAG#{dag_id}#{node_id % SHARDS}"

    @staticmethod
    def key(dag_id: int, node_id: int) -> Key:
        """The key of a node's neighbours in a DAG.

        >>> Edge.key(5, 130)
        Key(pk='DAG#5#2', sk='EDGE#130')
        """
        return Key(Edge.partition(dag_id, node_id), f"EDGE#{node_id}")


class EdgePart(Item):
    """A part of a long list of neighbours.

    The list is sorted, so that two clients that store it at once store the same parts.
    """

    KEY_FORMS: ClassVar = (
        Key("DAG#<long>#<id>", "EDGE#<long>#UP#<nnn>"),
        Key("DAG#<long>#<id>", "EDGE#<long>#DOWN#<nnn>"),
    )

    node_ids = BinaryAttribute(legacy_encoding=False)

    @staticmethod
    def key(dag_id: int, node_id: int, direction: Direction, number: int) -> Key:
        """The key of a part, numbered from 0.

        >>> EdgePart.key(5, 130, "UP", 3)
        Key(pk='DAG#5#2', sk='EDGE#130#UP#003')
        """
        return Key(Edge.partition(dag_id, node_id), f"EDGE#{node_id}#{direction}#{number:03d}")

    @staticmethod
    def keys(dag_id: int, node_id: int, direction: Direction, count: int) -> list[Key]:
        """The keys of all parts of a list of so many neighbours, in order."""
        return [EdgePart.key(dag_id, node_id, direction, number) for number in range(-(-count // IDS_PER_PART))]


class NodeArgs(Item):
    """The arguments of some nodes of a template version. Their content is their key."""

    KEY_FORMS: ClassVar = (Key("NODES#<id>", "ARGS#<sha>"),)

    node_ids = BinaryAttribute(legacy_encoding=False)
    """Packed, and ascending."""
    args = BinaryAttribute(legacy_encoding=False)
    """JSON, compressed with zlib: a list of objects, one for each node, of values by the ids of arguments."""

    @staticmethod
    def key(task_template_version_id: int, node_ids: bytes, args: bytes) -> Key:
        """The key of these arguments of these nodes."""
        digest = hashlib.sha256(node_ids + args).hexdigest()
        return Key(f"NODES#{task_template_version_id}", f"ARGS#{digest}")


def pack(ids: Sequence[int]) -> bytes:
    """Pack ids, 8 bytes each.

    >>> pack([1, 256]).hex()
    '00000000000000010000000000000100'
    """
    return struct.pack(f">{len(ids)}Q", *ids)


def unpack(packed: bytes) -> list[int]:
    """Undo pack.

    >>> unpack(pack([3, 2**62]))
    [3, 4611686018427387904]
    """
    return list(struct.unpack(f">{len(packed) // 8}Q", packed))
