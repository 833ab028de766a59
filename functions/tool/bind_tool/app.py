"""Find or create a tool."""

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import Name, Text
from lockstep.http.models import Reply, Request
from lockstep.tool.bind import bind_tool


class ToolToBind(Request):
    """A tool is known by its name, to the letter."""

    name: Name


class ToolReply(Reply):
    """The tool: its id and its name."""

    tool: tuple[int, Text]


@endpoint("bind_tool")
def lambda_handler(body: ToolToBind) -> ToolReply:
    """Return the tool of this name. A new tool gets one version."""
    return ToolReply(tool=(bind_tool(body.name), body.name))
