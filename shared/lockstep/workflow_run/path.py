"""The path of a route about one workflow run."""

from lockstep.http.fields import IdInPath
from lockstep.http.models import Request


class RunPath(Request):
    """The path of a route about one workflow run."""

    workflow_run_id: IdInPath
