"""The path of a route about one task."""

from lockstep.http.fields import IdInPath
from lockstep.http.models import Request


class TaskPath(Request):
    """The path of a route about one task."""

    task_id: IdInPath
