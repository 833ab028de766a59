"""The nodes that wait for tasks."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from lockstep.clock import now
from lockstep.dag.item import Edge, EdgePart, unpack
from lockstep.dynamodb.item import MAX_ID
from lockstep.dynamodb.reads import fetch_present
from lockstep.errors import FieldError, InvalidError
from lockstep.http.reply import MAX_REPLY_BYTES
from lockstep.task.item import Task

_LAST_WITH_TEXT: Final = (3, 4, 23)
"""The last version of Jobmon whose clients want a list of nodes as text."""
_VERSION: Final = re.compile(r"(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?:\.?(?:a|b|rc|dev|post)\d+)*(?:\+[a-z0-9.]+)?")
_TASK_BYTES: Final = 64
"""More than a task and its node take in the reply, and more than the reply takes beside its tasks."""
_ID_BYTES: Final = 21
"""The bytes of an id of 19 digits in the reply, with what parts it from the next."""


def takes_lists(client_version: str | None) -> bool:
    """Whether a client reads nodes as a list. Earlier clients, and those of unknown version, read the list as text.

    >>> [takes_lists(version) for version in ("3.6.0", "3.4.24.dev1", "3.4.23", "3.3", "abc", None)]
    [True, True, False, False, False, False]
    """
    match = _VERSION.fullmatch(client_version or "")
    return match is not None and tuple(int(number or 0) for number in match.groups()) > _LAST_WITH_TEXT


def read_downstream(dag_id: int, task_ids: Iterable[int]) -> dict[int, tuple[int, list[int]]]:
    """Return each task's node and the nodes downstream of it in a DAG, by the task's id.

    A task is left out if it does not exist, was seeded without a node, or has a node that is not in the DAG.

    Raises:
        InvalidError: no reply holds them all.
    """
    nodes = _nodes({task_id for task_id in task_ids if 0 < task_id <= MAX_ID})
    keys = {node_id: Edge.key(dag_id, node_id) for node_id in nodes.values()}
    found = fetch_present(keys.values())
    edges = {node_id: Edge.from_raw_data(found[key]) for node_id, key in keys.items() if key in found}
    told = {task_id: node_id for task_id, node_id in nodes.items() if node_id in edges}
    _check_reply([_count(edges[node_id]) for node_id in told.values()])
    downstream = _downstream(dag_id, edges)
    return {task_id: (node_id, downstream[node_id]) for task_id, node_id in told.items()}


def _nodes(task_ids: Iterable[int]) -> dict[int, int]:
    """The node of each task that exists and has one."""
    keys = {Task.key(task_id): task_id for task_id in task_ids}
    at = now()
    tasks = ((keys[key], Task.from_raw_data(raw)) for key, raw in fetch_present(keys).items())
    return {task_id: task.node_id for task_id, task in tasks if task.node_id is not None and not task.has_expired(at)}


def _count(edge: Edge) -> int:
    in_parts: int | None = edge.downstream_in_parts
    return in_parts or len(edge.downstream or b"") // 8


def _check_reply(counts: list[int]) -> None:
    """Require that one reply can tell of all, before long lists are read."""
    takes = _TASK_BYTES * (len(counts) + 1) + _ID_BYTES * sum(counts)
    if takes > MAX_REPLY_BYTES:
        why = f"the nodes below them take {takes} bytes in the reply, which holds {MAX_REPLY_BYTES}"
        raise InvalidError([FieldError("task_ids", f"{why}: send fewer tasks a call")])


def _downstream(dag_id: int, edges: Mapping[int, Edge]) -> dict[int, list[int]]:
    long = {
        node_id: EdgePart.keys(dag_id, node_id, "DOWN", edge.downstream_in_parts)
        for node_id, edge in edges.items()
        if edge.downstream_in_parts
    }
    parts = fetch_present(key for keys in long.values() for key in keys)
    packed = {node_id: edge.downstream or b"" for node_id, edge in edges.items()}
    packed |= {
        node_id: b"".join(EdgePart.from_raw_data(parts[key]).node_ids for key in keys) for node_id, keys in long.items()
    }
    return {node_id: unpack(ids) for node_id, ids in packed.items()}
