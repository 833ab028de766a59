"""The path of a route about one workflow."""

from lockstep.http.fields import IdInPath
from lockstep.http.models import Request


class WorkflowPath(Request):
    """The path of a route about one workflow."""

    workflow_id: IdInPath
