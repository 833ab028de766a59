"""Read a tool's versions."""

from itertools import islice
from typing import Final

from lockstep.dynamodb.item import Item
from lockstep.dynamodb.reads import query
from lockstep.errors import NotFoundError
from lockstep.tool.item import VersionOfTool

MOST_VERSIONS: Final = 10_000
"""The versions of a tool that are listed at most: the newest."""


def read_versions(tool_id: int) -> list[int]:
    """Read the ids of a tool's versions in ascending order, consistently: callers take the highest for the latest.

    Raises:
        NotFoundError: the tool does not exist.
    """
    partition, first = VersionOfTool.key(tool_id, 0)
    listed = Item.sk.between(first, VersionOfTool.LAST)
    newest = list(islice(query(partition, listed, consistent=True, newest=True), MOST_VERSIONS))
    if not newest:
        raise NotFoundError(f"tool {tool_id} does not exist")
    return [VersionOfTool.from_raw_data(raw).tool_version_id for raw in reversed(newest)]
