"""Nodes: ids that are digests of the node, and the arguments of nodes."""

import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from lockstep.dag.item import NodeArgs, pack
from lockstep.dynamodb.parallel import chunks_of_bytes
from lockstep.dynamodb.puts import put_repeatable
from lockstep.errors import FieldError, InvalidError
from lockstep.http import fields
from lockstep.http.fields import Hash, Id
from lockstep.http.models import Request

_NODE_ID_BITS: Final = 62
_BYTES_PER_ITEM: Final = 380_000
"""The bytes of an item's arguments before they are compressed, and of its nodes' ids. zlib adds 0.1 % at most."""


class NodeToBind(Request):
    """A node: a task template version and a hash of arguments."""

    task_template_version_id: Id
    node_args_hash: Hash
    node_args: fields.NodeArgs

    @property
    def name(self) -> str:
        """The node's name in a reply."""
        return f"{self.task_template_version_id}:{self.node_args_hash}"


def node_id(task_template_version_id: int, node_args_hash: str) -> int:
    """The id of a node: 62 bits of a digest of its template version and arguments, never 0. Nothing is stored for it.

    >>> node_id(1001, "77")
    301709884847207076
    """
    digest = hashlib.sha256(f"{task_template_version_id}:{node_args_hash}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 64 - _NODE_ID_BITS or 1


def bind_nodes(nodes: Sequence[NodeToBind]) -> dict[str, int]:
    """Store the nodes' arguments, and return each node's id by its name.

    The same nodes have the same ids for ever. Their arguments are stored once for each set of nodes that comes in one
    call: a reader finds a node in any of them.

    Raises:
        InvalidError: two of the nodes have one id. Nothing was stored.
        UnavailableError: some may be stored; the same call again stores the rest.
    """
    ids = {node.name: node_id(node.task_template_version_id, node.node_args_hash) for node in nodes}
    _check_distinct(nodes, ids)
    put_repeatable(list(_items(nodes, ids)))
    return ids


def _check_distinct(nodes: Sequence[NodeToBind], ids: Mapping[str, int]) -> None:
    if len(set(ids.values())) == len(ids):
        return
    names: dict[int, str] = {}
    wrong = [
        FieldError(f"nodes.{index}", f"node {node.name} has the id of node {other}: {ids[node.name]}")
        for index, node in enumerate(nodes)
        if (other := names.setdefault(ids[node.name], node.name)) != node.name
    ]
    raise InvalidError(wrong)


def _items(nodes: Sequence[NodeToBind], ids: Mapping[str, int]) -> Iterator[NodeArgs]:
    """Pack the arguments of the nodes that have any into as few items as hold them. The first of equal nodes counts."""
    by_version: dict[int, dict[int, str]] = defaultdict(dict)
    for node in nodes:
        if node.node_args:
            by_version[node.task_template_version_id].setdefault(ids[node.name], json.dumps(node.node_args))
    for version, args in by_version.items():
        for chunk in chunks_of_bytes(sorted(args.items()), _bytes, _BYTES_PER_ITEM):
            packed = pack([number for number, _ in chunk])
            compressed = zlib.compress(f"[{','.join(each for _, each in chunk)}]".encode(), level=1)
            yield NodeArgs(*NodeArgs.key(version, packed, compressed), node_ids=packed, args=compressed)


def _bytes(args: tuple[int, str]) -> int:
    return len(args[1]) + 9
