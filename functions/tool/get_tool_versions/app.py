"""List a tool's versions."""

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import IdInPath
from lockstep.http.models import Reply, Request
from lockstep.tool.read import read_versions


class ToolPath(Request):
    """The path of a route about one tool."""

    tool_id: IdInPath


class ToolVersionsReply(Reply):
    """The versions in the order of their ids, the latest last: the id of each, and the tool's."""

    tool_versions: list[tuple[int, int]]


@endpoint("get_tool_versions")
def lambda_handler(path: ToolPath) -> ToolVersionsReply:
    """Return the newest versions: at least one, at most 10,000."""
    return ToolVersionsReply(tool_versions=[(version, path.tool_id) for version in read_versions(path.tool_id)])
