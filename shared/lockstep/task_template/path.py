"""The path of a route about one task template."""

from lockstep.http.fields import IdInPath
from lockstep.http.models import Request


class TaskTemplatePath(Request):
    """The path of a route about one task template."""

    task_template_id: IdInPath
