"""Tools: find or create one by its name, and make versions. A tool has a version from the moment that it exists."""

from pynamodb.transactions import TransactWrite

from lockstep.dynamodb.client import transact
from lockstep.dynamodb.counters import allocate
from lockstep.dynamodb.item import Item
from lockstep.dynamodb.puts import put_new
from lockstep.dynamodb.reads import fetch_present
from lockstep.errors import FieldError, InvalidError
from lockstep.tool.item import Tool, ToolLookup, ToolVersion, VersionOfTool


def bind_tool(name: str) -> int:
    """Find the tool with a name, or create it with its first version, and return its id.

    Callers that race with the same name get the same tool, and it has one version.
    """
    lookup = ToolLookup.key(name)
    found = fetch_present([lookup]).get(lookup)
    return ToolLookup.from_raw_data(found).id if found else _create(name)


def _create(name: str) -> int:
    [tool_id] = allocate("tool", 1)
    [tool_version_id] = allocate("tool_version", 1)
    lookup, tool = ToolLookup(*ToolLookup.key(name), id=tool_id), Tool(*Tool.key(tool_id), name=name)
    winner = put_new(lookup, tool, *_version(tool_id, tool_version_id))
    return ToolLookup.from_raw_data(winner).id if winner else tool_id


def create_tool_version(tool_id: int) -> int:
    """Make another version of a tool, and return its id.

    Raises:
        InvalidError: the tool does not exist.
    """
    if not fetch_present([Tool.key(tool_id)]):
        raise InvalidError([FieldError("tool_id", f"tool {tool_id} does not exist")])
    [tool_version_id] = allocate("tool_version", 1)

    def build(transaction: TransactWrite) -> None:
        for item in _version(tool_id, tool_version_id):
            transaction.save(item)

    transact(build)
    return tool_version_id


def _version(tool_id: int, tool_version_id: int) -> tuple[Item, Item]:
    """A version, and its entry in its tool's list."""
    return (
        VersionOfTool(*VersionOfTool.key(tool_id, tool_version_id)),
        ToolVersion(*ToolVersion.key(tool_version_id), tool_id=tool_id),
    )
