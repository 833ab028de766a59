"""Make another version of a tool."""

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Id
from lockstep.http.models import Reply, Request
from lockstep.tool.bind import create_tool_version


class ToolVersionToMake(Request):
    """The tool to make it of."""

    tool_id: Id


class ToolVersionReply(Reply):
    """The version: its id and the tool's."""

    tool_version: tuple[int, int]


@endpoint("create_tool_version")
def lambda_handler(body: ToolVersionToMake) -> ToolVersionReply:
    """Make a version, which becomes the latest. A repeated call makes another one."""
    return ToolVersionReply(tool_version=(create_tool_version(body.tool_id), body.tool_id))
