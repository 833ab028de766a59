"""The contracts of the routes in functions/tool."""

from functions.tool.bind_tool.app import ToolReply
from functions.tool.create_tool_version.app import ToolVersionReply
from functions.tool.get_tool_versions.app import ToolVersionsReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.tool.read import MOST_VERSIONS
from tests.support.contract import Contract, Usage
from tests.support.largest import NAME

BIND_TOOL = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(1, 0, 0.5),
    reads="one lookup",
    largest=ToolReply(tool=(MAX_ID, NAME)),
    body={"name": "a"},
    unknown=None,
)
CREATE_TOOL_VERSION = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(3, 5, 0.5),
    reads="the tool",
    largest=ToolVersionReply(tool_version=(MAX_ID, MAX_ID)),
    body={"tool_id": 5001},
    unknown=None,
)
GET_TOOL_VERSIONS = Contract(
    scope=Scope.READER,
    usage=Usage(1, 0, 1),
    reads="10,000 entries (1 MB)",
    largest=ToolVersionsReply(tool_versions=[(MAX_ID, MAX_ID)] * MOST_VERSIONS),
)
